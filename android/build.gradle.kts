buildscript {
    repositories {
        google()
        mavenCentral()
    }
    dependencies {
        // The Android plugin brings Kotlin of its own; this makes it the version that pom.xml tests with.
        classpath("org.jetbrains.kotlin:kotlin-gradle-plugin:2.4.21")
    }
}

plugins {
    id("com.android.library") version "9.1.0" apply false
}
