/// 16 bytes of a number in hexadecimal digits.
func wide(_ number: UInt128) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
}
