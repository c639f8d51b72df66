// How a refusal is told to a program: status and problem details (RFC 9457) for each error code.

import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { type Field, proxyName } from './fields.ts'

export interface Problem {
  readonly status: number
  readonly fields: readonly Field[]
  readonly body: string
}

interface Kind {
  readonly status: number
  readonly title: string
  /** RFC 9209 section 2.3. */
  readonly proxyError: string
  readonly fields?: readonly Field[]
}

const again: readonly Field[] = [['Retry-After', '10']]
const refused = { title: 'Not paid', status: 402, proxyError: 'http_request_denied' }

/** The first pattern that fits an error's code decides. */
const kinds: readonly (readonly [RegExp, Kind])[] = [
  [
    /^(price_|budget_|dry_run$|deposit_|receiver_not_allowed$|wrong_contract$|wrong_token$|stopped_by_hook$)/,
    refused,
  ],
  [
    /^token_/,
    {
      status: 407,
      title: 'Proxy authentication required',
      proxyError: 'http_request_denied',
      fields: [['Proxy-Authenticate', `Basic realm="${proxyName}", charset="UTF-8"`]],
    },
  ],
  [
    /^(host_not_allowed|others_refused|tunnel_)/,
    { status: 403, title: 'Refused by the proxy', proxyError: 'http_request_denied' },
  ],
  [/^body_too_large$/, { ...requestError(413), title: 'Content too large' }],
  [/^method_not_allowed$/, { ...requestError(405), title: 'Method not allowed' }],
  [/^transfer_coding_unknown$/, { ...requestError(501), title: 'Unknown transfer coding' }],
  [/^(not_a|target_|body_|bad_request|wrong_checksum|too_many_decimals)/, requestError(400)],
  [/^proxy_loop$/, { status: 508, title: 'Loop', proxyError: 'proxy_loop_detected' }],
  [
    /^(proxy_busy|agent_|chain_|rpc_|transaction_|ether_|fee_|contract_|wrong_chain)/,
    { status: 503, title: 'Cannot pay now', proxyError: 'destination_unavailable', fields: again },
  ],
  [
    /^(state_|ledger_)/,
    {
      status: 503,
      title: 'Cannot keep books now',
      proxyError: 'proxy_internal_error',
      fields: again,
    },
  ],
  [
    /^receiver_(unreachable|unknown)/,
    { status: 502, title: 'Unreachable', proxyError: 'connection_refused' },
  ],
  [
    /^answer_(lost|malformed|too_large)|^aborted$/,
    { status: 502, title: 'No answer', proxyError: 'http_response_incomplete' },
  ],
  [/^answer_late$/, { status: 504, title: 'No answer in time', proxyError: 'connection_timeout' }],
  [
    /^(receiver_|relay_|terms_|proof_|payment_|balance_|channel_)/,
    { status: 502, title: 'The receiver breaks the rules', proxyError: 'http_protocol_error' },
  ],
]

const unexpected: Kind = {
  status: 500,
  title: 'Internal error',
  proxyError: 'proxy_internal_error',
}

function requestError(status: number): Kind {
  return { status, title: 'Bad request', proxyError: 'http_request_error' }
}

/** An error that is none of ours is a defect: its text stays in the log. */
export function problemOf(thrown: unknown): Problem {
  const error = isUraidenError(thrown) ? thrown : internal(thrown)
  const {
    status,
    title,
    proxyError,
    fields = [],
  } = kinds.find(([family]) => family.test(error.code))?.[1] ?? unexpected
  const { code, message, hint } = error
  const type = `urn:uraiden:problem:${code}`
  return {
    status,
    fields: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
      ['Proxy-Status', `${proxyName}; error=${proxyError}; details="${code}"`],
      ...fields,
    ],
    body: `${JSON.stringify({ type, title, status, detail: `${message} ${hint}`, code })}\n`,
  }
}

function internal(cause: unknown): UraidenError {
  return agentError({
    code: 'internal',
    message: 'Something went wrong inside the agent.',
    cause,
  })
}
