import CCryptoBoringSSL
import Wire

/// An AEAD with its key set up, for opening records. The only file of this module that may say `unsafe`.
///
/// It calls the BoringSSL that swift-crypto is made of. `AES.GCM.open` sets the key up anew for each call, copies the
/// record and allocates its plaintext: 1.5 to 2.5 µs and eight allocations a record, against 0.1 µs and none here; for
/// records of 4 KiB and less that is below half the speed of `openssl speed -aead`. A search for a sequence number is
/// made of nothing but such calls.
@safe final class RecordCipher {
    static let tagBytes = 16
    static let nonceBytes = 12
    private let context: UnsafeMutablePointer<EVP_AEAD_CTX>

    /// `nil` if the key is not as long as the AEAD needs it.
    init?(_ aead: CipherSuite.AEAD, key: [UInt8]) {
        guard key.count == aead.keyBytes else { return nil }
        let algorithm = unsafe Self.algorithm(aead)
        let made = unsafe key.withUnsafeBufferPointer { key in
            unsafe CCryptoBoringSSL_EVP_AEAD_CTX_new(algorithm, key.baseAddress, key.count, Self.tagBytes)
        }
        guard let made = unsafe made else { return nil }
        unsafe context = made
    }

    deinit { unsafe CCryptoBoringSSL_EVP_AEAD_CTX_free(context) }

    /// Decrypts `sealed`, ciphertext and tag, into `output` from `offset`; the count of plaintext bytes, or `nil`, with
    /// zeros written, if the tag does not prove them. Precondition: `output` has room for `sealed.count` bytes there,
    /// and the nonce has 12 bytes.
    func open(
        _ sealed: Span<UInt8>, nonce: Span<UInt8>, authenticating additional: Span<UInt8>, into output: inout [UInt8],
        at offset: Int
    ) -> Int? {
        precondition(nonce.count == Self.nonceBytes, "a nonce has 12 bytes")
        precondition(offset >= 0 && offset <= output.count &- sealed.count, "plaintext must have room")
        var count = 0
        let result = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe sealed.withUnsafeBufferPointer { sealed in
                unsafe nonce.withUnsafeBufferPointer { nonce in
                    unsafe additional.withUnsafeBufferPointer { additional in
                        unsafe CCryptoBoringSSL_EVP_AEAD_CTX_open(
                            context, output.baseAddress.map { unsafe $0 + offset }, &count, sealed.count,
                            nonce.baseAddress, nonce.count, sealed.baseAddress, sealed.count, additional.baseAddress,
                            additional.count)
                    }
                }
            }
        }
        return result == 1 ? count : nil
    }

    private static func algorithm(_ aead: CipherSuite.AEAD) -> OpaquePointer? {
        switch aead {
        case .aes128GCM: unsafe CCryptoBoringSSL_EVP_aead_aes_128_gcm()
        case .aes256GCM: unsafe CCryptoBoringSSL_EVP_aead_aes_256_gcm()
        case .chaCha20Poly1305: unsafe CCryptoBoringSSL_EVP_aead_chacha20_poly1305()
        }
    }
}
