// A paywall on a state that several processes share, in a process of its own, steered over IPC: real signatures over
// HTTP, without a chain. Whoever starts it has written the channels into the state.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { type Address, fromHex, type SignatureDomain } from '../../../protocol/index.ts'
import { createChannelManager } from '../../../receiver/channels/manager.ts'
import { serveShared } from '../../../receiver/cluster/serving.ts'
import { sharedReplies } from '../../../receiver/cluster/shared-requests.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import { builtPage } from '../../../receiver/paywall/built-page.ts'
import { rdnDialect } from '../../../receiver/paywall/dialect.ts'
import { createDoor } from '../../../receiver/paywall/door.ts'
import { createPaywall } from '../../../receiver/paywall/paywall.ts'
import { openReplies } from '../../../receiver/paywall/replies.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'
import { startVerifier } from '../../../receiver/signatures/index.ts'

export interface SharedProcessOptions {
  readonly settings: PostgresSettings
  readonly domain: SignatureDomain
  /** The receiver's. */
  readonly key: string
  readonly price: bigint
  readonly verifierThreads?: number
}

/** Since the start, in microseconds, of all threads. */
export interface SharedUsage {
  readonly cpu: number
}

async function serve(options: SharedProcessOptions): Promise<void> {
  const { settings, domain, key, price, verifierThreads = 0 } = options
  const signer = createKeySigner(fromHex(key))
  const receiver = signer.address
  const database = await openDatabase(settings, { ...domain, account: receiver })
  const { cluster, queue, ledgers } = await serveShared({
    database,
    onElected: () => undefined,
    onError: () => undefined,
  })
  const seat = cluster.membership
  const verifier = await startVerifier({ domain, receiver, forms: ['eip712'] }, { verifierThreads })
  const manager = createChannelManager({ ledgers, checker: verifier, signer, domain })
  const token = { address: domain.contract, symbol: 'TKN', decimals: 0 }
  const paywall = createPaywall({
    ...{ manager, token, receiver, contract: domain.contract, chainId: domain.chainId },
    door: createDoor({ find: () => undefined }),
    bound: 'offer',
    dialect: rdnDialect(identity(receiver, domain.contract)),
    replies: await openReplies(sharedReplies(database, seat)),
    page: await builtPage(undefined),
    outage: () => undefined,
    retryAfter: 1,
  })
  const free = (response: { readonly end: (body: string) => void }) =>
    response.end('{"celsius":21.4}')
  const paid = httpPaywall({ paywall, token }, { price }, (_, response) => free(response))
  const server = createServer((request, response) =>
    request.url?.startsWith('/free') ? free(response) : void paid(request, response),
  )
  server.listen({ host: '127.0.0.1', port: 0 }, () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ base: `http://127.0.0.1:${port}` })
  })
  process.on('message', async (message) => {
    if (message === 'usage') {
      const { user, system } = process.cpuUsage()
      process.send?.({ cpu: user + system } satisfies SharedUsage)
      return
    }
    server.close()
    server.closeAllConnections()
    await queue.close()
    await cluster.leave()
    await verifier.close()
    await database.close()
    process.disconnect()
  })
}

function identity(receiver: Address, contract: Address) {
  return {
    ...{ gatewayPath: '/api/1', receiver, contract, token: contract },
    features: new Set(['parallel', 'idempotency', 'eip712'] as const),
  }
}

process.once('message', (options: SharedProcessOptions) => void serve(options))
