plugins {
    id("com.android.library")
    `maven-publish`
}

group = "com.liventix"
version = "0.1.0"

/** What build-aar puts there: the Rust library for each processor, and the sources generated from it. */
val made = rootProject.layout.projectDirectory.dir("target")

android {
    namespace = "com.liventix"
    compileSdk = 36

    defaultConfig {
        // java.time, and files that replace each other atomically.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }

    sourceSets.named("main") {
        manifest.srcFile("src/android/AndroidManifest.xml")
        // The hand-written code is held to explicit API and no warnings by pom.xml, apart from the generated.
        kotlin.directories.addAll(
            listOf("src/main/kotlin", "src/android/kotlin", made.dir("generated/kotlin").asFile.path),
        )
        jniLibs.directories.add(made.dir("jniLibs").asFile.path)
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.11.0")
    // The Android library among JNA's artifacts: the jar has no libraries for phones.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "liventix"
        afterEvaluate { from(components["release"]) }
    }
}
