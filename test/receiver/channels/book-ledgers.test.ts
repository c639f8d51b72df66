// Ledgers in memory and on a disk do what all ledgers must do.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { bookLedgers } from '../../../receiver/channels/book-ledgers.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import { behaviours, type GivenLedgers, owner, receiver, sender } from '../../support/ledgers.ts'

const hashOf = (block: number) => `0x${block.toString(16)}` as const

type Place = Omit<ChannelEvent, 'kind' | 'channel'>

async function given(t: ExecutionContext): Promise<GivenLedgers> {
  const folder = await temporaryFolder(t)
  const opened = async (at: string) => {
    const store = await openStore(at, owner)
    t.teardown(store.close)
    return openBook(store)
  }
  const book = await opened(folder)
  let block = 0
  const happens = async (event: (place: Place) => ChannelEvent) => {
    block++
    const place = { block, contractBlock: block, blockHash: hashOf(block), logIndex: 0 }
    await book.confirm([event({ ...place, transaction: '0x00' })], { block, hash: hashOf(block) })
  }
  const open = async (deposit: bigint) => {
    const channel = { sender, openBlock: block + 1 }
    await happens((at) => ({ ...at, kind: 'created', deposit, channel: { ...channel, receiver } }))
    return channel
  }
  return {
    ledgers: bookLedgers(book),
    open,
    toppedUp: async (before, deposit) => {
      const channel = await open(before)
      const added = deposit - before
      await happens((at) => ({ ...at, kind: 'toppedUp', added, channel: { ...channel, receiver } }))
      return channel
    },
    closing: (channel) =>
      happens((at) => ({
        ...{ ...at, kind: 'closeRequested', balance: 0n },
        channel: { ...channel, receiver },
      })),
    reopened: async () =>
      bookLedgers(await opened(await crashCopy(folder, join(await temporaryFolder(t), 'copy')))),
  }
}

for (const [title, behaves] of Object.entries(behaviours)) {
  test(title, async (t) => behaves(t, await given(t)))
}
