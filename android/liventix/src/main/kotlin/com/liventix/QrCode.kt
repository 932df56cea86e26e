package com.liventix

import com.liventix.bridge.scannerCall

/** Draws codes. */
public object QrCode {
    /**
     * Draws [text] as a PNG file of one bit per pixel, with the white border that scanners expect.
     *
     * @param scale pixels per module (1 to 256); 8 suits a phone.
     * @throws ScannerException.InvalidInput for an empty or overlong text or a scale out of range.
     */
    public fun png(text: String, scale: Int = 8): ByteArray = scannerCall {
        // What a UShort cannot hold is out of range anyway.
        com.liventix.ffi.qrPng(text, scale.coerceIn(0, UShort.MAX_VALUE.toInt()).toUShort())
    }

    /**
     * [text] as modules, to be drawn by the app: sharp at every size, and in its colours. Leave 4 modules of white
     * around it.
     *
     * @throws ScannerException.InvalidInput for an empty or overlong text.
     */
    public fun matrix(text: String): QrMatrix = scannerCall { com.liventix.ffi.qrMatrix(text) }
}

/**
 * Whether the module in [column] and [row], each from 0 at the top left, is dark.
 *
 * @throws IndexOutOfBoundsException outside of the code.
 */
public fun QrMatrix.isDark(column: Int, row: Int): Boolean {
    val width = size.toInt()
    if (column !in 0..<width || row !in 0..<width) {
        throw IndexOutOfBoundsException("module $column, $row of a code of $width modules")
    }
    return modules[row * width + column] != 0.toByte()
}
