/// Logarithm and exponential, the same on every machine: only the four operations of IEEE 754 are used. For what is
/// made from a seed, and for figures that are compared; to within some units of the last place.
package enum ElementaryFunctions {
    private static let logarithmOf2 = 0.693_147_180_559_945_3

    /// ln x. Precondition: x is finite and above 0.
    package static func logarithm(_ x: Double) -> Double {
        precondition(x > 0 && x.isFinite, "a logarithm is of a finite number above 0")
        return Double(x.exponent) * logarithmOf2 + logarithm(significand: x.significand)
    }

    /// ln x for x from 1 to 2, by the series of the area tangent.
    static func logarithm(significand x: Double) -> Double {
        let ratio = (x - 1) / (x + 1)
        let square = ratio * ratio
        var term = ratio
        var sum = 0.0
        var divisor = 1.0
        while divisor < 30 {
            sum += term / divisor
            term *= square
            divisor += 2
        }
        return 2 * sum
    }

    /// e^x, by its series around a multiple of ln 2; 0 below -700. Precondition: x is at most 700.
    package static func exponential(_ x: Double) -> Double {
        precondition(x <= 700, "an exponential is of a number up to 700")
        if x < -700 { return 0 }
        let power = (x / logarithmOf2).rounded()
        let rest = x - power * logarithmOf2
        var term = 1.0
        var sum = 1.0
        for divisor in 1..<18 {
            term *= rest / Double(divisor)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }
}
