import test from 'ava'
import { watchChain } from '../../../receiver/chain/watch.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { contract, createChainModel, receiver } from '../../support/chain-model.ts'
import { temporaryFolder } from '../../support/folder.ts'

test('who asks for a look at the chain while one goes on gets one that began after', async (t) => {
  const owner = { chainId: 31337n, contract, account: receiver }
  const store = await openStore(await temporaryFolder(t), owner)
  t.teardown(() => store.close())
  const chain = createChainModel()
  const book = await openBook(store)
  const rounds: (() => void)[] = []
  let begun: () => void = () => undefined
  const nextRound = () =>
    new Promise<void>((resolve) => {
      begun = resolve
    })
  const first = nextRound()
  const watch = watchChain({
    ...{
      chain: chain.client,
      book,
      receiver,
      startBlock: 0,
      confirmations: 1,
      interval: 3_600_000,
    },
    // A round goes on until the test lets it end.
    afterSync: () =>
      new Promise((resolve) => {
        rounds.push(resolve)
        begun()
      }),
    onOutcome: () => undefined,
    onError: (error) => t.fail(String(error)),
  })
  await first
  chain.mine([])
  const second = nextRound()
  const [asked, askedToo] = [watch.refresh(), watch.refresh()]
  t.is(asked, askedToo)
  rounds[0]?.()
  await second
  rounds[1]?.()
  await asked
  t.is(rounds.length, 2)
  t.is(book.seenTo(), 1)
  await watch.stop()
})
