// Where a receiver begins to read.
import test from 'ava'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { firstBlock } from '../../../receiver/chain/first-block.ts'

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

const fails = (code: string) => async () => {
  throw new UraidenError({ code, message: code, hint: '' })
}

for (const [title, request] of [
  ['with a node that is no archive', fails('rpc_error')],
  ['with a node that is away', fails('chain_unavailable')],
  ['with a contract that was always there', async () => '0x60'],
] as const) {
  test(`from the beginning ${title}`, async (t) => {
    t.is(await firstBlock(chainWith(request).chain, { position: () => undefined }), 0)
  })
}

test('where reading has begun nothing is asked', async (t) => {
  const { chain, asked } = chainWith(async () => '0x60')
  await firstBlock(chain, { position: () => ({ block: 7, hash: '0x' }) })
  t.deepEqual(asked, [])
})
