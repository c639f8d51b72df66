// How long a receiver that offers no request key is believed to have none.
import test, { type ExecutionContext } from 'ava'
import { createBindings } from '../../../agent/channels/binding.ts'
import { createTransport } from '../../../agent/transport/transport.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { boundReceiver } from '../../support/bound-receiver.ts'
import { channel, ledgerOn, newChannel, receiver, testDisk } from '../../support/ledger.ts'
import { chainId, contract, sender, senderKey } from '../../support/lying-receiver.ts'

const hour = 3_600_000

async function given(t: ExecutionContext) {
  const { origin, books } = await boundReceiver(t, { offers: () => false })
  const disk = testDisk()
  let time = Date.UTC(2026, 10, 21)
  /** A process on this disk. */
  const start = async () => {
    const ledger = await ledgerOn({ disk })
    if (ledger.channels().length === 0) await ledger.add(newChannel(100n))
    const bindings = createBindings({
      work: {
        ledger,
        chain: () => Promise.reject(new Error('no chain')),
        own: sender,
        confirmations: 1,
      },
      signer: createKeySigner(fromHex(senderKey)),
      domain: { chainId, contract },
      transport: createTransport({}),
      policy: () => 'prefer',
      retryInterval: 1,
      confirmTimeout: 1,
      wallClock: () => time,
    })
    const place = { receiver, url: new URL(`${origin}/data`), api: new URL(`${origin}/api/1`) }
    return {
      known: () => bindings.known(channel, place),
      ask: () => bindings.checkOffer(place),
      stop: () => ledger.close(),
    }
  }
  return {
    start,
    asked: () => books.asked.length,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
  }
}

test('it is asked again after an hour, and not before', async (t) => {
  const { start, asked, pass } = await given(t)
  const { ask, known } = await start()
  t.is(known(), undefined)
  await ask()
  t.is(known(), 'unbound')
  pass(hour - 1)
  await ask()
  t.deepEqual([known(), asked()], ['unbound', 1])
  pass(1)
  t.is(known(), undefined)
  await ask()
  t.is(asked(), 2)
})

test('a later process knows it', async (t) => {
  const { start, asked, pass } = await given(t)
  const first = await start()
  await first.ask()
  await first.stop()
  pass(hour - 1)
  const second = await start()
  await second.ask()
  t.deepEqual([second.known(), asked()], ['unbound', 1])
})

test('a clock that was set back makes it ask again', async (t) => {
  const { start, asked, pass } = await given(t)
  const { ask, known } = await start()
  await ask()
  pass(-1)
  t.is(known(), undefined)
  await ask()
  t.is(asked(), 2)
})
