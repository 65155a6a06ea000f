import Chains
import Testing
import Wire

@Suite("Key tables of the papers' switches")
struct RegisterIndexTests {
    /// NetChain's, since its keys are wide; what is asked of it is compared with a dictionary.
    @Test("insertions and removals in any order leave what a dictionary holds", arguments: [1, 2, 3, 4] as [UInt64])
    func model(seed: UInt64) {
        var dice = SplitMix64(seed: seed)
        let capacity = 24
        let network = ScriptBench<NetChainPaperSwitch>.network(ofNode: 0, of: 1)
        var machine = NetChainPaperSwitch(NetChainPaperOptions(), network: network, capacity: capacity)
        var model: [UInt128: UInt128] = [:]
        // Few keys, of which many meet: they differ in bits that the table's place hardly depends on, or not at all.
        let keys = (0..<40).map { number -> UInt128 in
            let high = UInt128(number % 8) << 124
            let middle = UInt128(number / 8) << 60
            return high | middle | UInt128(dice.below(3))
        }
        for round in 0..<4_000 {
            let key = keys[dice.below(keys.count)]
            if dice.chance(0.5) {
                let isNew = model[key] == nil && model.count < capacity
                let isInserted = machine.insert(key, role: .head)
                #expect(isInserted == isNew)
                if isNew {
                    model[key] = UInt128(round)
                    #expect(machine.entry(of: key) == .init(sequence: 0, value: 0))
                    machine.restore(.init(sequence: 1, value: UInt128(round)), of: key)
                }
            } else {
                let isRemoved = machine.remove(key)
                #expect(isRemoved == (model.removeValue(forKey: key) != nil))
            }
        }
        for key in keys { #expect(machine.entry(of: key)?.value == model[key]) }
        #expect(model.count > 2)
    }

    @Test("a table is as large as it was asked for, and a key taken off leaves room")
    func full() {
        var machine = NetCRAQPaperSwitch(
            NetCRAQPaperOptions(), network: ScriptBench<NetCRAQPaperSwitch>.network(ofNode: 0, of: 1), capacity: 3)
        let inserted = (1...5).map { machine.insert($0) } + [machine.insert(1)]
        #expect(inserted == [true, true, true, false, false, false])
        let removed = [machine.remove(2), machine.remove(2), machine.insert(5), machine.insert(2)]
        #expect(removed == [true, false, true, false])
        #expect(machine.entry(of: 2) == nil && machine.entry(of: 5) != nil)
    }
}
