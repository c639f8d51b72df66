// How often it is looked at how long a block takes.
import test from 'ava'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { watchBlockTime } from '../../../receiver/chain/block-time.ts'

function given() {
  const chain = { head: 20_000, seconds: 12, away: false, looks: 0 }
  const blockAt = (number: number) => ({
    ...{ number, contractBlock: number, timestamp: number * chain.seconds },
  })
  const client = {
    head: async () => {
      chain.looks++
      if (chain.away) throw new UraidenError({ code: 'chain_unavailable', message: '', hint: '' })
      return blockAt(chain.head)
    },
    block: async (number: number) => blockAt(number),
  } as unknown as ChainClient
  const watch = watchBlockTime(client)
  const move = async (blocks: number) => {
    chain.head += blocks
    await watch.refresh(chain.head)
    return watch.now()
  }
  return { chain, watch, move }
}

test('once for a thousand blocks; what is known stays while the node is away', async (t) => {
  const { chain, watch, move } = given()
  t.is(watch.now(), undefined)
  await watch.refresh()
  t.is(watch.now(), 12)
  chain.seconds = 2
  t.is(await move(999), 12)
  t.is(chain.looks, 1)
  chain.away = true
  t.is(await move(1), 12)
  chain.away = false
  t.is(await move(1), 2)
  t.is(await move(5), 2)
  t.is(chain.looks, 3)
})

test('a chain that is too young to say is looked at every hundred blocks', async (t) => {
  const { chain, watch, move } = given()
  chain.head = 50
  await watch.refresh()
  t.is(watch.now(), undefined)
  t.is(await move(49), undefined)
  t.is(chain.looks, 1)
  t.is(await move(51), 12)
})
