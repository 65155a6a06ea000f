// Shape tables as columns: one column for each field, a row for each shape.

/// A field of a shape: its column, and where it lies in the packed shape.
struct ShapeField {
    enum Word { case low, high, mask }
    var column: Column
    var word: Word
    var shift: UInt64
    var width: UInt64

    var limit: UInt64 { width == 64 ? .max : (1 << width) - 1 }
}

extension ShapeKind {
    var fields: [ShapeField] {
        switch self {
        case .operation:
            [
                ShapeField(column: .operationRole, word: .low, shift: 0, width: 8),
                ShapeField(column: .operationKind, word: .low, shift: 8, width: 8),
                ShapeField(column: .operationEvidence, word: .low, shift: 16, width: 8),
                ShapeField(column: .operationPresence, word: .low, shift: 24, width: 8),
                ShapeField(column: .operationCompleteness, word: .low, shift: 32, width: 16),
                ShapeField(column: .operationMethod, word: .low, shift: 48, width: 16),
                ShapeField(column: .operationStatus, word: .high, shift: 0, width: 40),
                ShapeField(column: .operationBody, word: .high, shift: 40, width: 24),
                ShapeField(column: .operationMask, word: .mask, shift: 0, width: 64),
            ]
        case .body:
            [
                ShapeField(column: .bodyKind, word: .low, shift: 0, width: 8),
                ShapeField(column: .bodyBranch, word: .low, shift: 8, width: 8),
                ShapeField(column: .bodyDepth, word: .low, shift: 16, width: 8),
                ShapeField(column: .bodySortOrder, word: .low, shift: 24, width: 8),
                ShapeField(column: .bodySortTarget, word: .low, shift: 32, width: 8),
                ShapeField(column: .bodyFlags, word: .high, shift: 0, width: 40),
                ShapeField(column: .bodyMask, word: .mask, shift: 0, width: 64),
            ]
        case .compare:
            [
                ShapeField(column: .compareTarget, word: .low, shift: 0, width: 8),
                ShapeField(column: .compareRelation, word: .low, shift: 8, width: 8),
                ShapeField(column: .compareMask, word: .mask, shift: 0, width: 64),
            ]
        case .keyValue:
            [
                ShapeField(column: .keyValueKind, word: .low, shift: 0, width: 8),
                ShapeField(column: .keyValueMask, word: .mask, shift: 0, width: 64),
            ]
        case .observed:
            [
                ShapeField(column: .observedKind, word: .low, shift: 0, width: 8),
                ShapeField(column: .observedSource, word: .low, shift: 8, width: 8),
                ShapeField(column: .observedMask, word: .mask, shift: 0, width: 64),
            ]
        case .connection:
            [
                ShapeField(column: .connectionStart, word: .low, shift: 0, width: 8),
                ShapeField(column: .connectionContent, word: .low, shift: 8, width: 8),
                ShapeField(column: .connectionClosed, word: .low, shift: 16, width: 8),
                ShapeField(column: .connectionMask, word: .mask, shift: 0, width: 64),
            ]
        }
    }
}

extension Shape {
    func value(of field: ShapeField) -> UInt64 {
        switch field.word {
        case .low: low >> field.shift & field.limit
        case .high: high >> field.shift & field.limit
        case .mask: mask
        }
    }

    /// Sets a field that is 0. Precondition: the value is within the field's limit.
    mutating func set(_ field: ShapeField, to value: UInt64) {
        switch field.word {
        case .low: low |= value << field.shift
        case .high: high |= value << field.shift
        case .mask: mask = value
        }
    }
}

extension ColumnEncoder {
    /// Fills the columns of all shapes. To be called once, when all records are coded.
    mutating func writeShapes() {
        for kind in ShapeKind.allCases {
            let shapes = shapes[kind.rawValue].shapes
            for field in kind.fields {
                for shape in shapes {
                    columns[field.column.rawValue].append(Int64(bitPattern: shape.value(of: field)))
                }
            }
        }
    }
}

extension ColumnDecoder {
    /// Reads `counts[kind]` shapes of each kind; fails where a field is beyond its limit.
    mutating func readShapes(_ counts: [Int]) {
        for kind in ShapeKind.allCases {
            let fields = kind.fields
            for _ in 0..<counts[kind.rawValue] {
                var shape = Shape()
                for field in fields {
                    let value = UInt64(bitPattern: next(field.column))
                    if value > field.limit { return fail() }
                    shape.set(field, to: value)
                }
                shapes[kind.rawValue].append(shape)
            }
        }
    }
}
