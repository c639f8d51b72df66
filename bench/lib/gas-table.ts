// docs/reference/gas.md, from the measured figures.
import type { GasFigures } from './gas.ts'

interface Row {
  readonly operation: string
  readonly goal: number
  /** The original contract of version 0.2 on today's EVM; from spec, not measured here. */
  readonly original?: number
  /** In the documents of 2018. */
  readonly documented?: number
  /** Why the goal is missed, where it is. */
  readonly reason?: string
}

/** The compiler compares the call's selector with one function's after the other, 22 gas each. */
const dispatch = 'the selector is compared with those of more functions than the prototype had'
const pull =
  'the contract’s tokens are counted before and after, under a lock against callbacks (section 2, fee-on-transfer and reentrant tokens)'
const credit = 'a payout that the token refuses is credited (section 2, row 11)'

const rows: { readonly [Key in keyof GasFigures]: Row } = {
  'open-erc223': {
    operation: 'open, ERC-223',
    goal: 64_000,
    original: 69_912,
    documented: 88_976,
    reason: `${dispatch}: tokenFallback is the 37th; the lock is looked at`,
  },
  'open-erc20-allowance': {
    operation: 'open, ERC-20, standing allowance',
    goal: 64_500,
    original: 69_862,
    reason: pull,
  },
  'approve-open-erc20': {
    operation: 'approve + open',
    goal: 108_500,
    original: 114_025,
    documented: 120_090,
    reason: pull,
  },
  'open-permit': {
    operation: 'open with permit',
    goal: 78_500,
    reason: `${pull}; a permit that somebody used in front of us does no harm, because it is tried (row 9)`,
  },
  'topup-erc223': {
    operation: 'top up, ERC-223',
    goal: 47_500,
    original: 53_505,
    documented: 54_885,
    reason: `${dispatch}; the lock is looked at`,
  },
  'close-two-signatures-partial': {
    operation: 'cooperativeClose, both signatures, partial balance',
    goal: 59_500,
    original: 69_485,
    documented: 71_182,
    reason: `${credit}; ${dispatch}`,
  },
  'close-by-receiver-partial': {
    operation: 'cooperativeClose by the receiver, one signature',
    goal: 54_500,
    reason: `${credit}; ${dispatch}`,
  },
  'close-by-receiver-full': {
    operation: 'the same, whole deposit paid out',
    goal: 46_500,
    original: 66_632,
    reason: `${credit}; ${dispatch}`,
  },
  'uncooperative-close': {
    operation: 'uncooperativeClose',
    goal: 30_000,
    original: 52_824,
    documented: 53_876,
    reason: dispatch,
  },
  'settle-partial': {
    operation: 'settle, partial',
    goal: 48_500,
    original: 56_394,
    documented: 40_896,
  },
  'settle-zero': { operation: 'settle, balance 0', goal: 41_000, original: 53_594 },
  withdraw: { operation: 'withdraw', goal: 50_500, original: 75_897, reason: dispatch },
  'withdraw-batch-50-per-channel': { operation: 'withdrawBatch, per channel of 50', goal: 14_000 },
  'close-batch-50-per-channel': {
    operation: 'cooperativeCloseBatch, per channel of 50',
    goal: 18_000,
  },
  deploy: {
    operation: 'deploy',
    goal: 1_600_000,
    original: 3_137_196,
    reason:
      'twice the prototype’s functions, and the optimiser is set for cheap calls: with 200 runs in place of a million it is 2 262 967, and each call 150 to 530 gas dearer',
  },
}

export function gasTable(figures: GasFigures): string {
  const lines = (Object.keys(rows) as (keyof GasFigures)[]).map((key) => {
    const { operation, goal, original, documented } = rows[key]
    const mark = figures[key] <= goal ? '✔' : '✘'
    const cells = [
      operation,
      `≤ ${number(goal)}`,
      `${number(figures[key])} ${mark}`,
      number(original),
      number(documented),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const missed = (Object.keys(rows) as (keyof GasFigures)[])
    .filter((key) => figures[key] > rows[key].goal)
    .map((key) => {
      const { operation, goal, reason = 'not known' } = rows[key]
      return `- **${operation}**, ${number(figures[key] - goal)} over: ${reason}.`
    })
  return `# Gas

Written by \`./scripts/bench gas --write\`. Steady state: balances of sender,
receiver and contract are not zero, 18 decimals, the token is \`CustomToken\`,
EIP-712 signatures, fixed keys, solc 0.8.37 with the settings of
\`hardhat.config.ts\`. The allowance of "standing allowance" is unlimited. A test
holds every change against \`contracts/gas-snapshot.json\` and fails on a rise.

| operation | goal | measured | original today | documented 2018 |
|---|---|---|---|---|
${lines.join('\n')}

The goals were reached by a prototype without permits and relayed opens,
settling for others, credits, and the challenge. Where a rule of safety costs
gas, safety wins.

${missed.length === 0 ? 'All goals are met.' : `Over the goal:\n\n${missed.join('\n')}`}
`
}

function number(value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en').replaceAll(',', ' ')
}
