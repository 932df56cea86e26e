import LiventixTestSupport
import Testing

@testable import Liventix

@Suite("Telling many listeners", .timeLimit(.minutes(1)))
struct BroadcastTests {
    @Test("Each listener hears everything from when it came, in order")
    func everyone() async {
        let source = Broadcast<Int>(keeps: 10)
        let first = source.stream()
        source.send(1)
        let second = source.stream()
        source.send(2)
        source.finish()
        #expect(await first.reduce(into: []) { $0.append($1) } == [1, 2])
        #expect(await second.reduce(into: []) { $0.append($1) } == [2])
    }

    @Test("A slow listener misses the oldest, and nobody waits for it")
    func slow() async {
        let source = Broadcast<Int>(keeps: 3)
        let stream = source.stream()
        for number in 1...100 { source.send(number) }
        source.finish()
        #expect(await stream.reduce(into: []) { $0.append($1) } == [98, 99, 100])
    }

    @Test("A new listener hears the state of things first, where there is one")
    func latest() async {
        let source = Broadcast<Int>(keeps: 3, replaysLatest: true)
        source.send(1)
        source.send(2)
        var listener = source.stream().makeAsyncIterator()
        #expect(await listener.next() == 2)
        source.finish()
        #expect(await listener.next() == nil)
    }

    @Test("Many threads send, come and go at once")
    func crowd() async {
        let source = Broadcast<Int>(keeps: 1_000)
        let heard = await withTaskGroup(of: Int.self) { group in
            let all = source.stream()
            for number in 0..<50 {
                group.addTask {
                    source.send(number)
                    for await _ in source.stream().prefix(0) {}
                    return 0
                }
            }
            await group.waitForAll()
            source.finish()
            return await all.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(heard == Set(0..<50))
    }
}
