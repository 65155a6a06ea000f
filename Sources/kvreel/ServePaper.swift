import ChainRuntime
import Chains
import Simulation

extension ServeCommand {
    /// Serves a paper variant until the input ends or a signal comes.
    func servePaper(_ chain: ChainOption, _ input: ShellInput) throws -> ServeEnd {
        switch chain.store {
        case .netcraq: try servePaper(chain, NetCRAQPaperControl.self, variant.netCRAQ, input)
        case .netchain: try servePaper(chain, NetChainPaperControl.self, variant.netChain, input)
        }
    }

    private func servePaper<Control: PaperControl>(
        _ chain: ChainOption, _ control: Control.Type, _ options: Control.Options, _ input: ShellInput
    ) throws -> ServeEnd where Control.Switch: NodeMachine {
        var configuration = PaperChainConfiguration<Control>(options, nodes: chain.nodes)
        configuration.clients = clientsNetwork
        if let keys { configuration.keys = keys }
        configuration.rate = rate
        configuration.isPinned = pin
        let local = try LocalPaperChain(configuration)
        if !quiet { StandardError.write(ServeText.nodes(local.addresses)) }
        let isWhole = try serve(shell ? try PaperShell(local) : nil, input)
        return ServeEnd(statistics: local.stop(), addresses: local.addresses, isWhole: isWhole)
    }
}
