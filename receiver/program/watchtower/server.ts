// The watchtower's HTTP server: takes copies of proofs from who has the token.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import {
  type ProofOwner,
  pushSchema,
  recordsSchema,
  type Verdict,
} from '../../core/watchtower/messages.ts'
import type { Watchtower } from './tower.ts'

export interface WatchtowerServerOptions {
  /** Whoever has it may leave proofs and read the status. At least 16 characters. */
  readonly token: string
  /** PEM; plain HTTP without it. */
  readonly tls?: SecureContextOptions | undefined
  readonly loggerInstance?: FastifyBaseLogger
}

/** 500 proofs have about 150 kB. */
const bodyLimit = 512 * 1024

export function createWatchtowerServer(
  tower: Watchtower,
  { token, ...options }: WatchtowerServerOptions,
): FastifyInstance {
  const app = createServer(options)
  const isRight = sameAs(`Bearer ${token}`)
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.register(
    async (api) => {
      // Before the body is read.
      api.addHook('onRequest', async (request, reply) => {
        if (isRight(request.headers.authorization ?? '')) return undefined
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer')
          .send(problem(401, 'token_wrong', 'The token is missing or wrong.'))
      })
      api.post('/proofs', async (request, reply) => {
        const push = pushSchema.safeParse(request.body)
        if (!push.success) return reply.code(400).send(malformed(push.error.issues))
        const { proofs, ...owner } = push.data
        const other = problemOfOwner(tower.guarded, owner)
        if (other !== undefined) return reply.code(409).send(other)
        const verdicts: Verdict[] = await Promise.all(
          proofs.map(({ open_block, ...proof }) => tower.keep({ ...proof, openBlock: open_block })),
        )
        return { verdicts }
      })
      api.post('/records', async (request, reply) => {
        const push = recordsSchema.safeParse(request.body)
        if (!push.success) return reply.code(400).send(malformed(push.error.issues))
        const { records, ...owner } = push.data
        const other = problemOfOwner(tower.guarded, owner)
        if (other !== undefined) return reply.code(409).send(other)
        for (const { sender, open_block: openBlock, request_key, agreed_balance } of records) {
          const requestKey = request_key && { ...request_key, number: BigInt(request_key.number) }
          await tower.keepRecord({ sender, openBlock, requestKey, agreedBalance: agreed_balance })
        }
        return { kept: records.length }
      })
      api.get('/backup', async (_, reply) => reply.type('text/plain').send(await tower.backup()))
      api.get('/status', async () => statusOf(tower))
    },
    { prefix: '/api/1' },
  )
  return app
}

function createServer({
  tls,
  loggerInstance,
}: Omit<WatchtowerServerOptions, 'token'>): FastifyInstance {
  const options = {
    ...{ bodyLimit, forceCloseConnections: true, requestTimeout: 60_000 },
    ...(loggerInstance && { loggerInstance }),
    logController: new LogController({ disableRequestLogging: true }),
  }
  if (tls === undefined) return fastify(options)
  // The type of the server under it is of no interest to the routes.
  return fastify({ ...options, https: tls }) as unknown as FastifyInstance
}

function statusOf(tower: Watchtower) {
  const { answers, uncollected, atRisk, lost, ether, chainAge, ...rest } = tower.status()
  return {
    ...rest,
    account: tower.account,
    ether: ether === undefined ? null : `${ether}`,
    chain_age_seconds: Number.isFinite(chainAge) ? Math.round(chainAge / 1000) : null,
    uncollected: `${uncollected}`,
    at_risk: `${atRisk}`,
    lost: `${lost}`,
    answers: answers.map(({ stake, openBlock, ...answer }) => ({
      ...answer,
      open_block: openBlock,
      stake: `${stake}`,
    })),
  }
}

/** Takes the same time whatever is wrong. */
function sameAs(expected: string): (given: string) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  const right = hash(expected)
  return (given) => timingSafeEqual(hash(given), right)
}

function malformed([issue]: readonly { readonly path: PropertyKey[]; readonly message: string }[]) {
  return problem(400, 'push_malformed', `${issue?.path.join('.')}: ${issue?.message}`)
}

/** Undefined when the message is about the channels that are guarded. */
function problemOfOwner(
  guarded: ProofOwner,
  owner: { readonly chain_id: string; readonly contract: string; readonly receiver: string },
) {
  const { chainId, contract, receiver } = guarded
  const isSame =
    BigInt(owner.chain_id) === chainId && owner.contract === contract && owner.receiver === receiver
  if (isSame) return undefined
  const detail = `This watchtower guards ${receiver} on contract ${contract}, chain ${chainId}.`
  return problem(409, 'push_of_another', detail)
}

/** RFC 9457. */
function problem(status: number, code: string, detail: string) {
  return { status, code, title: detail, detail }
}
