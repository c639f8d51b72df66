// A receiver for tests of its pages: with things of several types to buy, and it can be restarted at
// the same address.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { formatAmount, fromHex } from '../../protocol/index.ts'
import { earned, recordIncome } from '../../receiver/income/recorder.ts'
import { recordTraffic } from '../../receiver/income/traffic-recorder.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  type Resource,
  startReceiver,
} from '../../receiver/index.ts'
import { type ResourceConfigs, registerResources } from '../../receiver/resources/routes.ts'
import { createAdminServer } from '../../receiver/server/admin-server.ts'
import type { ServerOptions } from '../../receiver/server/server.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { patience } from './until.ts'
import { createTestWallet } from './wallet.ts'

/** Of everything in the shop: 0.005 TKN. */
export const price = 5n * 10n ** 15n

export const costs = formatAmount(price, { symbol: 'TKN', decimals: 18 })

/** What a person has at first. */
export const pocket = 10n ** 18n

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const article = `<!doctype html><html lang="en"><title>Article</title><link rel="icon" href="data:,">
<h1>The whole article</h1><script>document.title = 'Its script ran'</script></html>`

function goods(broken: () => boolean): readonly Resource[] {
  const attachment = 'attachment; filename="data.bin"'
  return [
    { path: '/reading', price, handler: () => ({ celsius: 21.4 }) },
    { path: '/article', price, handler: (_, reply) => reply.type('text/html').send(article) },
    { path: '/photo.png', price, handler: (_, reply) => reply.type('image/png').send(pixel) },
    {
      path: '/file',
      price,
      handler: (_, reply) =>
        reply
          .header('content-disposition', attachment)
          .type('application/octet-stream')
          .send('bytes'),
    },
    { path: '/a/rather/long/path/of-a-resource/with/many/parts', price, handler: () => 'far' },
    {
      path: '/fails',
      price,
      handler: () => {
        if (broken()) throw new Error('broken')
        return 'well'
      },
    },
  ]
}

/** For https; browsers are told to take it. */
export async function testCertificate() {
  const file = (name: string) => readFile(new URL(`certificates/${name}`, import.meta.url))
  const [cert, key] = await Promise.all([file('ca-first.pem'), file('ca-first.key')])
  return { cert, key }
}

/** Everything ends with the test. */
export async function startShop(
  t: ExecutionContext,
  receiverOptions: Partial<ReceiverOptions> = {},
  serverOptions: ServerOptions = {},
  configured: ResourceConfigs = {},
) {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-pages-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiverAccount, senderAccount] = chain.accounts
  if (!receiverAccount || !senderAccount) throw new Error('no accounts')
  await (await token.getFunction('transfer(address,uint256)')(senderAccount.address, pocket)).wait()

  let broken = false
  let running: Awaited<ReturnType<typeof open>> | undefined
  async function open(port: number, adminPort: number) {
    const receiver = await startReceiver({
      signer: createKeySigner(fromHex(receiverAccount?.privateKey ?? '')),
      rpcUrl: chain.rpcUrl,
      contract,
      timeout: patience,
      state: join(folder, 'receiver'),
      pollInterval: 20,
      confirmations: 1,
      ...receiverOptions,
    })
    await receiver.synced
    const income = await recordIncome({
      file: join(folder, 'income.json'),
      total: () => earned(receiver.book.all()),
      onError: (error) => t.fail(String(error)),
    })
    const traffic = recordTraffic({
      folder: join(folder, 'traffic'),
      onError: (error) => t.fail(String(error)),
    })
    const resources = goods(() => broken)
    const own = { ...serverOptions, income, traffic }
    const server = await createReceiverServer(receiver, resources, own)
    await registerResources(server, configured)
    const base = await server.listen({ host: '127.0.0.1', port })
    const { admin } = serverOptions
    const administration = admin && (await createAdminServer({ admin }))
    const adminBase = await administration?.listen({ host: '127.0.0.1', port: adminPort })
    return { receiver, server, base, income, traffic, administration, adminBase: adminBase ?? '' }
  }
  async function stop() {
    await running?.administration?.close()
    await running?.server.close()
    await running?.income.stop()
    await running?.traffic.stop()
    await running?.receiver.stop()
    running = undefined
  }
  running = await open(0, 0)
  t.teardown(stop)
  const { base, adminBase, receiver } = running
  const wallet = createTestWallet(chain.rpcUrl, senderAccount.privateKey)
  t.teardown(wallet.close)
  return {
    chain,
    contract,
    token,
    base,
    adminBase,
    receiver,
    wallet,
    receiverAccount,
    senderAccount,
    stop,
    restart: async () => {
      await stop()
      const adminPort = adminBase === '' ? 0 : Number(new URL(adminBase).port)
      running = await open(Number(new URL(base).port), adminPort)
    },
    breakGoods: (now: boolean) => {
      broken = now
    },
    tokensOf: async (address: string): Promise<bigint> => token.getFunction('balanceOf')(address),
  }
}
