package com.liventix

import com.liventix.conformance.Case
import com.liventix.conformance.Player
import com.liventix.support.Stage
import com.liventix.support.text
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** The cases of `tests/vectors/scan`, through the public API and the real sync protocol. */
class ConformanceTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the stand-in serves the cases of these files`() {
        val served = Stage.send("GET", "${Stage.url}/cases").jsonArray.map { "${it.text("file")}/${it.text("case")}" }
        assertEquals(Case.all().map { "${it.file}/${it.name}" }.sorted(), served.sorted())
    }

    @TestFactory
    fun `a scanner comes to the verdicts of the files`(): List<DynamicTest> {
        val cases = Case.all().filter { it.isForDoors }
        assertTrue(cases.size >= 200, "only ${cases.size} cases")
        return cases.map { case ->
            dynamicTest("${case.file}/${case.name}") {
                val ownFolder = folder.resolve(case.name).createDirectory()
                runTest { Player(case, ownFolder).play() }
            }
        }
    }
}
