// Where a receiver begins to read.
import test from 'ava'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { firstBlock } from '../../../receiver/chain/first-block.ts'
import type { FirstBlockDisk } from '../../../receiver/channels/store.ts'

const chainWith = (request: () => Promise<unknown>) => {
  const asked: string[] = []
  const chain = {
    head: async () => ({ number: 20_000_000 }),
    request: async (method: string) => {
      asked.push(method)
      return request()
    },
    contract: `0x${'33'.repeat(20)}`,
  } as unknown as ChainClient
  return { chain, asked }
}

function diskWith(block: number | undefined): FirstBlockDisk {
  let kept = block
  return {
    load: async () => kept,
    save: async (found) => {
      kept = found
    },
  }
}

const fails = (code: string) => async () => {
  throw new UraidenError({ code, message: code, hint: '' })
}

for (const [title, request] of [
  ['with a node that is no archive', fails('rpc_error')],
  ['with a node that is away', fails('chain_unavailable')],
  ['with a contract that was always there', async () => '0x60'],
] as const) {
  test(`from the beginning ${title}`, async (t) => {
    const disk = diskWith(undefined)
    t.is(await firstBlock(chainWith(request).chain, disk), 0)
  })
}

test('what a node cannot say is asked again at the next start, what it found is remembered', async (t) => {
  const disk = diskWith(undefined)
  await firstBlock(chainWith(fails('rpc_error')).chain, disk)
  t.is(await disk.load(), undefined)
  await firstBlock(chainWith(async () => '0x60').chain, disk)
  t.is(await disk.load(), 0)
})

test('where it is remembered nothing is asked', async (t) => {
  const { chain, asked } = chainWith(async () => '0x60')
  t.is(await firstBlock(chain, diskWith(7)), 7)
  t.deepEqual(asked, [])
})
