/// Numbers as people read them: digits in groups of three, a decimal point, units apart. Without locale.
package enum Figures {
    /// `1204332` as `1 204 332`.
    package static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += " " }
            text.append(digit)
        }
        return text
    }

    /// `1 gap`, `12 345 gaps`; `plural` where it is not the noun with an s.
    package static func counted(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(count(number)) " + (number == 1 ? noun : plural ?? noun + "s")
    }

    /// With that many decimals, rounded half away from zero; not finite numbers as `-`.
    package static func decimal(_ number: Double, places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        guard number.isFinite, abs(number) * Double(scale) < 1e18 else { return "-" }
        let scaled = Int(abs(number) * Double(scale) + 0.5)
        var text = number < 0 && scaled > 0 ? "-" : ""
        text += count(scaled / scale)
        if places > 0 {
            let fraction = String(scaled % scale)
            text += "." + String(repeating: "0", count: places - fraction.count) + fraction
        }
        return text
    }

    /// A share as per cent with one decimal: 0.523 as `52.3`.
    package static func percent(_ share: Double) -> String { decimal(share * 100, places: 1) }

    /// A difference with its sign; a true zero has none.
    package static func signed(_ number: Double, places: Int) -> String {
        let text = decimal(number, places: places)
        return number > 0 && text.contains(where: { $0 >= "1" && $0 <= "9" }) ? "+" + text : text
    }

    /// Three digits and a unit: `812 ns`, `41.3 µs`, `1.25 ms`, `2.31 s`, `125 s`.
    package static func latency(nanoseconds: Int64) -> String {
        let time = Double(nanoseconds)
        switch abs(time) {
        case ..<1e3: return "\(count(Int(nanoseconds))) ns"
        case ..<1e6: return threeDigits(time / 1e3) + " µs"
        case ..<1e9: return threeDigits(time / 1e6) + " ms"
        default: return threeDigits(time / 1e9) + " s"
        }
    }

    private static func threeDigits(_ number: Double) -> String {
        decimal(number, places: abs(number) < 9.995 ? 2 : abs(number) < 99.95 ? 1 : 0)
    }

    static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// `97.3 s`, `12 min 5 s`, `3 h 20 min`.
    package static func duration(nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        if seconds < 120 { return "\(decimal(Double(nanoseconds) / 1e9, places: 1)) s" }
        if seconds < 7_200 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(count(Int(seconds / 3_600))) h \(seconds % 3_600 / 60) min"
    }
}
