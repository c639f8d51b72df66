// docs/reference/gas.md, from the measured figures.
import type { GasFigures } from './gas.ts'

interface Row {
  readonly operation: string
  readonly goal: number
  /** Version 0.3, with signatures of 65 bytes and single calls for single channels. */
  readonly before: number
  /** A trace of 0.3 less all that the contract itself computed. */
  readonly floor?: number
  /** The original contract, optimised, on today's EVM; measured beside 0.3. */
  readonly original?: number
  /** x402 batch settlement, measured beside 0.3. */
  readonly x402?: number
  /** The session escrow of mppx, measured beside 0.3. */
  readonly mppx?: number
  /** Why the goal is missed, where it is. */
  readonly reason?: string
}

const size =
  'the optimiser is set for 800 runs, not a million: deploying takes a quarter less, each call 75 to 180 more, as measured on a variant'

const rows: { readonly [Key in keyof GasFigures]: Row } = {
  'open-erc223': {
    operation: 'open, ERC-223',
    ...{ goal: 64_000, before: 64_071, floor: 62_253, original: 70_263, reason: size },
  },
  'open-erc20-allowance': {
    operation: 'open, ERC-20, standing allowance',
    ...{ goal: 66_000, before: 66_037, floor: 63_982 },
    ...{ original: 70_314, x402: 77_655, mppx: 111_776, reason: size },
  },
  'approve-open-erc20': {
    operation: 'approve + open',
    ...{ goal: 110_000, before: 110_012, floor: 107_957, original: 114_025, reason: size },
  },
  'open-permit': {
    operation: 'open with permit',
    ...{ goal: 81_300, before: 81_367, floor: 79_143, x402: 112_044, reason: size },
  },
  'topup-erc223': {
    operation: 'top up, ERC-223',
    ...{ goal: 47_400, before: 47_449, floor: 45_540 },
    ...{ original: 53_536, x402: 56_866, mppx: 53_783, reason: size },
  },
  'close-two-signatures-partial': {
    operation: 'cooperativeClose, both signatures, partial balance',
    ...{ goal: 59_000, before: 59_671, floor: 56_035, original: 69_555, reason: size },
  },
  'close-by-receiver-partial': {
    operation: 'cooperativeClose by the receiver, one signature',
    ...{ goal: 54_150, before: 54_623, floor: 51_759, x402: 112_169, mppx: 68_432, reason: size },
  },
  'close-by-receiver-full': {
    operation: 'the same, whole deposit paid out',
    ...{ goal: 46_300, before: 46_808, floor: 44_115, original: 66_632, reason: size },
  },
  'close-batch-1-partial': {
    operation: 'cooperativeCloseBatch of one, as our receiver closes',
    ...{ goal: 54_150, before: 54_623, reason: size },
  },
  'close-batch-1-full': {
    operation: 'the same, whole deposit paid out',
    ...{ goal: 46_300, before: 46_808, reason: size },
  },
  'uncooperative-close': {
    operation: 'uncooperativeClose',
    ...{ goal: 29_900, before: 30_101, floor: 28_891 },
    ...{ original: 52_695, x402: 52_330, mppx: 31_492, reason: size },
  },
  'settle-partial': {
    operation: 'settle, partial',
    ...{ goal: 48_400, before: 48_463, floor: 46_735 },
    ...{ original: 56_312, x402: 47_560, mppx: 53_247, reason: size },
  },
  'settle-zero': {
    operation: 'settle, balance 0',
    ...{ goal: 40_600, before: 40_660, floor: 39_103, original: 53_594, reason: size },
  },
  withdraw: {
    operation: 'withdraw',
    ...{ goal: 50_250, before: 50_636, floor: 48_035 },
    ...{ original: 76_203, x402: 91_306, mppx: 57_180, reason: size },
  },
  'withdraw-batch-1': {
    operation: 'withdrawBatch of one, as our receiver withdraws',
    ...{ goal: 50_250, before: 50_636, reason: size },
  },
  'withdraw-batch-50-per-channel': {
    operation: 'withdrawBatch, per channel of 50',
    ...{ goal: 13_650, before: 13_723, floor: 12_332, x402: 19_975, reason: size },
  },
  'close-batch-50-per-channel': {
    operation: 'cooperativeCloseBatch, per channel of 50',
    ...{ goal: 17_700, before: 17_785, floor: 15_783, reason: size },
  },
  deploy: {
    operation: 'deploy',
    ...{ goal: 2_470_000, before: 3_156_022 },
    reason: 'the goal counts ticks (2 460 838 with them); opening by EIP-3009 adds 178 046',
    ...{ original: 1_753_663, x402: 2_828_897, mppx: 1_905_762 },
  },
}

export function gasTable(figures: GasFigures): string {
  const keys = Object.keys(rows) as (keyof GasFigures)[]
  const lines = keys.map((key) => {
    const { operation, goal, before, floor, original, x402, mppx } = rows[key]
    const mark = figures[key] <= goal ? '✔' : '✘'
    const after = `${number(figures[key])} ${mark}`
    const cells = [operation, `≤ ${number(goal)}`, number(before), after]
    return `| ${[...cells, ...[floor, original, x402, mppx].map(number)].join(' | ')} |`
  })
  const missed = keys
    .filter((key) => figures[key] > rows[key].goal)
    .map((key) => {
      const { operation, goal, reason = 'not known' } = rows[key]
      return `- **${operation}**, ${number(figures[key] - goal)} over: ${reason}.`
    })
  return `# Gas

Written by \`./scripts/bench gas --write\`. Steady state: balances of sender,
receiver and contract are not zero, 18 decimals, the token is \`CustomToken\`,
EIP-712 signatures of 64 bytes (EIP-2098), fixed keys, solc 0.8.37 with the
settings of \`hardhat.config.ts\`. The allowance of "standing allowance" is
unlimited. A test holds every change against \`contracts/gas-snapshot.json\` and
fails on a rise.

"0.3" is the version before, with signatures of 65 bytes and single calls. The
floor is a trace of it less all that the contract itself computes: intrinsic gas,
storage, logs, signature recovery and the token remain. The original (with its
optimiser), x402 batch settlement and the session escrow of mppx were measured on
the same chain and token beside 0.3.

| operation | goal | 0.3 | measured | floor | original | x402 | mppx |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}

Where a rule of safety costs gas, safety wins.

${missed.length === 0 ? 'All goals are met.' : `Over the goal:\n\n${missed.join('\n')}`}
`
}

function number(value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en').replaceAll(',', ' ')
}
