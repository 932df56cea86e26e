package com.liventix.sample

import com.liventix.ClockSample
import com.liventix.HostClock
import com.liventix.PermissionAsk
import com.liventix.PushPermission
import com.liventix.PushRegistrar
import com.liventix.RefusalReason
import com.liventix.support.LockableSecretStore
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import java.time.Duration
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The model of *Enable notifications* on a real registrar, with a system that answers as the test says. */
class NotificationsViewModelTest {
    private val secrets = LockableSecretStore()
    private val system = FakeSystem()
    private var now = 1_795_780_800_000

    private val NotificationsViewModel.advice get() = assertNotNull(state.value.advice)

    private class FakeSystem : SystemNotifications {
        var permission = PushPermission.NOT_ASKED
        var answer = PushPermission.REFUSED
        val asked = mutableListOf<PermissionAsk>()

        override suspend fun permission() = permission

        override suspend fun ask(how: PermissionAsk) {
            asked += how
            permission = answer
        }
    }

    private suspend fun TestScope.withModel(test: suspend (NotificationsViewModel, PushRegistrar) -> Unit) {
        val clock = HostClock { ClockSample(wallMs = now, monoMs = now, boot = 1uL) }
        PushRegistrar.open(secrets, clock = clock).use { registrar ->
            val work = StandardTestDispatcher(testScheduler)
            val model = NotificationsViewModel(registrar, system, backgroundScope, work)
            model.look().join()
            test(model, registrar)
        }
    }

    @Test
    fun `it asks once a month, and whoever taps at any time`() = runTest {
        withModel { model, registrar ->
            assertFalse(model.advice.isOn)
            assertEquals(PermissionAsk.SYSTEM to PermissionAsk.SYSTEM, model.advice.prompt to model.advice.onTap)
            model.prompt().join()
            assertEquals(listOf(PermissionAsk.SYSTEM), system.asked)
            assertEquals(null to PermissionAsk.SETTINGS, model.advice.prompt to model.advice.onTap)
            model.refuse(RefusalReason.TOO_MANY).join()
            assertEquals(RefusalReason.TOO_MANY, registrar.prompts().refusals.single().reason)

            model.prompt().join()
            assertEquals(1, system.asked.size, "nobody is asked again so soon")
            now += Duration.ofDays(30).toMillis()
            model.look().join()
            assertEquals(PermissionAsk.SETTINGS, model.advice.prompt)
            model.prompt().join()
            system.answer = PushPermission.ALLOWED
            // Somebody taps twice.
            joinAll(model.tap(), model.tap())
            assertEquals(listOf(PermissionAsk.SETTINGS, PermissionAsk.SETTINGS), system.asked.drop(1))
            assertTrue(model.advice.isOn)
            assertNull(model.advice.onTap)
            model.tap().join()
            assertEquals(3, system.asked.size, "there is nothing to ask for")
        }
    }

    @Test
    fun `what changes in the settings is seen when the app is back`() = runTest {
        system.permission = PushPermission.ALLOWED
        withModel { model, _ ->
            assertTrue(model.advice.isOn)
            system.permission = PushPermission.REFUSED
            model.look().join()
            assertEquals(false to PermissionAsk.SETTINGS, model.advice.isOn to model.advice.onTap)
        }
    }

    @Test
    fun `a store that is locked for a while is a problem until it opens`() = runTest {
        withModel { model, _ ->
            secrets.locked = true
            model.prompt().join()
            assertEquals("secrets", model.state.value.problem?.code)
            assertEquals(emptyList(), system.asked)
            secrets.locked = false
            model.look().join()
            assertNull(model.state.value.problem)
        }
    }
}
