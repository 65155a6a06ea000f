import Glibc

/// What the terminal, if there is one, can show.
enum Terminal {
    /// Whether results go to a terminal, where long lines would wrap, and not to a file or a program.
    static var showsOutput: Bool { SystemCalls.isTerminal(STDOUT_FILENO) }

    /// Columns for results on standard output: the terminal's, else 80; tables need at least 60.
    static var outputWidth: Int { min(max(SystemCalls.terminalWidth(STDOUT_FILENO) ?? 80, 60), 160) }

    /// Whether lines on standard error can be drawn anew: it is a terminal that knows how, and of this many columns.
    static var progressWidth: Int? {
        guard SystemCalls.isTerminal(STDERR_FILENO), !["", "dumb"].contains(SystemCalls.environment("TERM") ?? "")
        else {
            return nil
        }
        return SystemCalls.terminalWidth(STDERR_FILENO) ?? 80
    }

    /// `text` without control characters: names of files and errors of peers must not steer the terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
    }

    /// `12 345 678`.
    static func grouped(_ number: some BinaryInteger) -> String {
        var digits = Array(String(number.magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(" ", at: place)
            place -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    /// `1 packet`, `12 345 packets`.
    static func counted(_ number: some BinaryInteger, _ noun: String) -> String {
        grouped(number) + " " + noun + (number == 1 ? "" : "s")
    }

    /// A number with that many decimals, rounded to the nearest; for values that fit a 64-bit integer when scaled.
    static func decimal(_ value: Double, places: Int) -> String {
        let scale = pow(10, Double(places))
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 9e18 else { return "-" }
        let magnitude = Int64(abs(scaled))
        let digits = padded(magnitude % Int64(scale), to: places)
        return (scaled < 0 ? "-" : "") + String(magnitude / Int64(scale)) + (places > 0 ? "." + digits : "")
    }

    /// `2.5 s`, `300 s`.
    static func seconds(_ nanoseconds: Int64) -> String {
        let text = decimal(Double(nanoseconds) / 1e9, places: 3)
        return (text.hasSuffix(".000") ? String(text.dropLast(4)) : text) + " s"
    }

    /// `number` with leading zeros, `width` digits wide.
    static func padded(_ number: some BinaryInteger, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
