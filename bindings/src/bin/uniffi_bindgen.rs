//! Generates the Swift and Kotlin sources from the built library; `bindings/generate` runs it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
