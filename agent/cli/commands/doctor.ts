// uraiden-agent doctor: looks at everything a payment needs; each line says what to do.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { once } from '../../../platform/async/once.ts'
import { type ChainClient, gasPrice } from '../../../platform/chain/index.ts'
import {
  type Finding,
  failure,
  findingOf,
  lookAtChain,
  lookAtContract,
  lookAtDisk,
  ok,
  startExamination,
  warning,
} from '../../../platform/cli/doctor.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import type { KeyKind } from '../../../platform/keys/index.ts'
import { examineState } from '../../../platform/state/state.ts'
import { withoutKeys } from '../../../platform/text/printed.ts'
import { machineClock } from '../../../platform/time/machine-clock.ts'
import {
  type Address,
  etherUnit,
  formatAmount,
  type HeaderFields,
  parseTerms,
  type Terms,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { transactionFacts } from '../../agent.ts'
import { openLedger } from '../../channels/ledger.ts'
import { jobsOf } from '../../jobs/configured.ts'
import { sinkId } from '../../jobs/sinks/create.ts'
import type { Job } from '../../jobs/types.ts'
import { assetUnits } from '../../program/configuration/assets.ts'
import { chainSettings, openChain } from '../../program/configuration/chain.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { contractsOf } from '../../program/configuration/contracts.ts'
import { openKey, readBroker } from '../../program/configuration/load.ts'
import { pathsFromStart } from '../../program/configuration/paths.ts'
import { configFile, stateFolder } from '../../program/configuration/places.ts'
import {
  policyOptions,
  purchaseSettings,
  trustOf,
  usualFeeShare,
} from '../../program/configuration/purchasing.ts'
import {
  openReceivers,
  type Receivers,
  receiverSettings,
} from '../../program/configuration/receivers.ts'
import type { DaemonStatus } from '../../program/control/status.ts'
import { rateSettings, rateText, transactionRate } from '../../program/control/transactions.ts'
import { createBehaviours } from '../../purchase/behaviour.ts'
import { createPurchaseHistory, mostRemembered } from '../../purchase/history.ts'
import { createTransport, type OpenAnswer } from '../../transport/transport.ts'
import type { Asset } from '../../x402/types.ts'
import { lookAtAsset, lookAtSeller } from '../doctor/assets.ts'
import { judgeCard } from '../doctor/card.ts'
import { type Asked, asPurchases, judgeCost, judgePrice, judgeUnasked } from '../doctor/jobs.ts'
import { lookAtBroker, lookAtSink } from '../doctor/sinks.ts'
import { trustText } from '../text/status.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { findDaemon } from './its-daemon.ts'
import { type GlobalOptions, withAgent } from './session.ts'

interface Key {
  readonly address: Address
  readonly kind: KeyKind
}

/** What was found so far; a check says itself when something it needs is missing. */
interface Facts {
  readonly config: AgentConfig
  readonly folder: string
  readonly chain: ChainClient | undefined
  readonly key: Key | undefined
  /** Undefined when none runs; asked once. */
  readonly daemon: () => Promise<DaemonStatus | undefined>
  /** What the daemon says of them, or the ledger where none runs; read once. */
  readonly books: () => Promise<Books>
}

type Books = Pick<DaemonStatus, 'behaviour' | 'transactions'>

interface Check {
  readonly name: string
  readonly look: (facts: Facts) => Promise<Finding>
}

export async function doctor(
  target: string | undefined,
  options: GlobalOptions,
): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(configFile(options.config))
  const { report, attempt, conclude } = startExamination(output)
  const fromStart = pathsFromStart(config, configFile(options.config))
  if (fromStart.length > 0) report('paths', fromStartWarning(fromStart))
  const chain = await attempt('chain', () => openChain(chainSettings(config)))
  const daemon = once(async () => {
    const found = await findDaemon(config, options)
    return found?.connection.command('status', {})
  })
  const key = await attempt('key', () => keyOf(config, daemon))
  const places = openReceivers(receiverSettings(config))
  const known = { config, folder: stateFolder(config), chain, key, daemon }
  const facts: Facts = { ...known, books: once(() => readBooks(known)) }
  const receivers =
    target === undefined
      ? Object.entries(config.receivers).map(([name, { address }]) =>
          receiverCheck(places, name, address),
        )
      : [receiverCheck(places, target, undefined)]
  for (const check of [...checks(facts), ...receivers]) {
    report(check.name, await check.look(facts).catch(findingOf))
  }
  if (target === undefined) {
    for (const { name, finding } of await lookAtJobs(facts, places)) report(name, finding)
  }
  chain?.close()
  return conclude() ? exitCode.ok : exitCode.failed
}

function fromStartWarning(paths: readonly string[]): Finding {
  const [one] = paths
  return warning(
    `${paths.join(', ')}: found in ${process.cwd()}, where this was started, as until now. Paths are relative to the configuration's folder: move them there, or write whole paths, such as ${resolve(one ?? '')}.`,
  )
}

/** `doctor receiver URL`: what is altered between agent and receiver. Pays nothing. */
export function doctorReceiver(target: string, options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output, receivers }) => {
    const { report, conclude } = startExamination(output)
    const url = await receivers.resolve(target)
    const { receiver, result, findings } = await agent.probe(url)
    if (result === 'unaltered') {
      report('receiver', ok(`${url} of ${receiver}: requests and answers arrive as they were sent`))
    }
    const judged = { unaltered: warning, notAsked: warning, altered: failure } as const
    for (const finding of findings) report('traffic', judged[result](finding))
    return conclude() ? exitCode.ok : exitCode.failed
  })
}

/** What depends on something that is missing is left out: its failure has its own line already. */
function checks({ config, chain, key }: Facts): readonly Check[] {
  return [
    clockCheck,
    ...(chain ? [chainCheck, contractCheck] : []),
    ...(key ? [keyCheck] : []),
    ...(chain && key ? [tokensCheck, etherCheck] : []),
    ...(key ? assetsOf(config).map((asset) => assetCheck(asset, key.address)) : []),
    diskCheck,
    stateCheck,
    cardCheck,
    depositsCheck,
    ...(chain && key ? [feesCheck, behaviourCheck] : []),
  ]
}

const notAsked = failure('Not looked at, because the chain does not answer.')

const chainCheck: Check = {
  name: 'chain',
  look: async ({ chain }) => (chain === undefined ? notAsked : lookAtChain(chain)),
}

const contractCheck: Check = {
  name: 'contract',
  look: async ({ chain }) => (chain === undefined ? notAsked : lookAtContract(chain)),
}

const tokensCheck: Check = {
  name: 'tokens',
  look: async (facts) => {
    const { chain, key } = facts
    if (chain === undefined || key === undefined) return notKnown(facts)
    const [balance, token] = await Promise.all([
      chain.tokenBalance(key.address),
      chain.tokenFacts(),
    ])
    if (balance > 0n) return ok(formatAmount(balance, token))
    return warning(
      `0 ${token.symbol}: no channel can be opened. Send ${token.symbol} to ${key.address}.`,
    )
  },
}

const etherCheck: Check = {
  name: 'ether',
  look: async (facts) => {
    const { chain, key } = facts
    if (chain === undefined || key === undefined) return notKnown(facts)
    const balance = await chain.etherBalance(key.address)
    if (balance > 0n) return ok(formatAmount(balance, etherUnit))
    return warning(
      `0 ETH: fine while the receiver relays; closing without it needs ether. Send some to ${key.address}.`,
    )
  },
}

function assetCheck(asset: Asset, account: Address): Check {
  return { name: 'asset', look: () => lookAtAsset(asset, account) }
}

function notKnown({ chain }: Facts) {
  return chain === undefined ? notAsked : failure('Not looked at, because there is no key.')
}

const clockCheck: Check = {
  name: 'clock',
  look: async ({ config }) => {
    const { synchronised } = machineClock(config.clock ?? 'auto')()
    const now = new Date().toISOString()
    if (synchronised) return ok(config.clock === 'trusted' ? `trusted, ${now}` : 'synchronised')
    return warning(
      `${now}, not known to be synchronised: spent budgets stay spent until it is. Run: timedatectl set-ntp true, or set clock: trusted.`,
    )
  },
}

const keyCheck: Check = {
  name: 'key',
  look: async ({ config, key }) => {
    if (key === undefined) return failure(`${config.key} could not be opened.`)
    if (key.kind === 'sealed') return ok(`${key.address}, sealed by systemd for this machine`)
    const says = `${key.address}, ${config.key} is readable by its owner only`
    if (key.kind === 'keystore') return ok(`${says}, opened with a password`)
    return warning(
      `${says}, but not encrypted: who takes the card has it. Make it a keystore with: uraiden-agent key import ${config.key} <new file>`,
    )
  },
}

/** What systemd has sealed only the daemon can open. */
async function keyOf(config: AgentConfig, daemon: Facts['daemon']): Promise<Key> {
  const status = await daemon()
  if (status?.key === 'sealed') return { address: status.address, kind: 'sealed' }
  const { signer, kind } = await openKey(config, process.env)
  return { address: signer.address, kind }
}

const diskCheck: Check = {
  name: 'disk',
  look: ({ folder }) => lookAtDisk(folder, 'raise reservation, or change the card'),
}

const stateCheck: Check = {
  name: 'state',
  look: async ({ folder, daemon }) => {
    if ((await daemon()) !== undefined) return ok(`${folder}, in use by the daemon`)
    const parts = ['ledger', 'jobs'].map((part) => join(folder, part)).filter(existsSync)
    for (const part of parts) await examineState({ folder: part, program: 'agent' })
    return ok(parts.length === 0 ? `${folder}, made with the first payment` : `${folder}, readable`)
  },
}

const cardCheck: Check = {
  name: 'card',
  look: async ({ config, daemon }) => judgeCard(config, await daemon(), Date.now()),
}

const depositsCheck: Check = {
  name: 'deposits',
  look: async ({ config }) => {
    const { open, topUp, feeShare, etherPrice } = config.deposit
    if (open !== undefined && topUp !== undefined) {
      return ok('as large as deposit.open and deposit.topUp say')
    }
    if (etherPrice !== undefined) {
      const share = Number(feeShare ?? usualFeeShare) / 100
      return ok(`fees are at most ${share} % of them, where budgets and the account allow`)
    }
    const says = 'deposit.feeShare has no effect without deposit.etherPrice'
    return feeShare === undefined
      ? ok(says)
      : warning(`${says}. Set it to what one ether is worth, such as 2500 TKN.`)
  },
}

const behaviourCheck: Check = {
  name: 'behaviour',
  look: async ({ books }) => {
    const { behaviour } = await books()
    const lines = behaviour.map(({ receiver, last, ...trust }) => {
      return `${receiver} (${last.code}) gets ${trustText(trust, Date.now())}`
    })
    return lines.length === 0
      ? ok('no trouble with receivers lately')
      : warning(`${lines.join('; ')}. Look at the receivers’ logs, or buy elsewhere.`)
  },
}

const feesCheck: Check = {
  name: 'fees',
  look: async ({ chain, books }) => {
    const { transactions } = await books()
    return ok(rateText(transactions, chain && (await gasPrice(chain))))
  },
}

interface NamedFinding {
  readonly name: string
  readonly finding: Finding
}

/** Will they work? Each is asked for its price, and where its data goes is looked at. Buys and delivers nothing. */
async function lookAtJobs(facts: Facts, places: Receivers): Promise<readonly NamedFinding[]> {
  const { config, chain, key } = facts
  const token = await chain?.tokenFacts().catch(() => undefined)
  const found: NamedFinding[] = []
  const say = (name: string, finding: Finding | undefined) => {
    if (finding !== undefined) found.push({ name, finding })
  }
  if (token !== undefined) {
    const purchasing = purchaseSettings(config)
    const jobs = jobsOf(config.jobs, token, assetUnits(purchasing.x402))
    const policy = policyOptions(purchasing, token)
    const asked: Asked[] = []
    for (const { job } of jobs) {
      if (job.method !== 'GET') {
        say('job', judgeUnasked(job, policy.budget, token))
        continue
      }
      const offer = await askFor(job, facts, places).catch(findingOf)
      if ('verdict' in offer) say('job', offer)
      else {
        asked.push(offer)
        say('job', judgePrice(offer, policy.budget, token))
      }
    }
    say('cost', judgeCost(asked, policy.budget, token))
    const { transactions } = await facts.books()
    if (asked.length > 0 && transactions === undefined) {
      const price = chain && (await gasPrice(chain).catch(() => undefined))
      const counts = { lastWeek: undefined, gasPrice: price }
      const rate = transactionRate(counts, asPurchases(asked), rateSettings(policy, jobs))
      say('fees', ok(`to expect: ${rateText(rate, price)}`))
    }
  }
  const sinks = Object.values(config.jobs).flatMap((job) => job.sinks)
  const different = new Map(sinks.map((sink) => [sinkId(sink), sink]))
  for (const sink of different.values()) say('sink', await lookAtSink(sink).catch(findingOf))
  if (config.mqtt !== undefined && key !== undefined) {
    const broker = readBroker(config.mqtt, key.address)
    say('broker', await broker.then(lookAtBroker).catch(findingOf))
  }
  return found
}

/** What a receiver wants for a job that is a GET; a finding where there is no price. */
async function askFor(
  { name, target, headers, every, mostPrice }: Job,
  { config }: Facts,
  places: Receivers,
): Promise<Asked | Finding> {
  const url = await places.resolve(target)
  const answer = await ask(url, config, headers)
  const { status, header } = answer
  const shown = `${name}, ${withoutKeys(url.href)},`
  const byX402 = await priceByX402(answer, { url, shown, places, config })
  if (byX402 !== undefined) return byX402
  if (status === 200) return ok(`${shown} is free`)
  if (status !== 402) {
    return warning(
      `${shown} answers HTTP status ${status}. Check the path, with: uraiden-agent get`,
    )
  }
  const terms = parseTerms(header)
  const wrong = wrongParties(terms, shown, config, addressAt(config, target))
  if (wrong !== undefined) return wrong
  return { job: name, every, receiver: terms.receiver, price: terms.price, mostPrice }
}

/** As the configuration has it for the receiver that a target names. */
function addressAt({ receivers }: AgentConfig, target: string): Address | undefined {
  const [name = ''] = target.split('/')
  return Object.hasOwn(receivers, name) ? receivers[name]?.address : undefined
}

async function readBooks(facts: Omit<Facts, 'books'>): Promise<Books> {
  const { config, folder, chain, key, daemon } = facts
  const status = await daemon()
  if (status !== undefined) return status
  const ledgerFolder = join(folder, 'ledger')
  if (chain === undefined || key === undefined || !existsSync(ledgerFolder)) {
    return { behaviour: [], transactions: undefined }
  }
  const token = await chain.tokenFacts()
  const ledger = await openLedger({
    folder: ledgerFolder,
    owner: {
      chainId: chain.chainId,
      contract: config.contract,
      others: contractsOf(config),
      account: key.address,
    },
    ...{ reservation: 1, budget: {}, readClock: machineClock(config.clock ?? 'auto') },
  })
  try {
    const purchasing = purchaseSettings(config)
    const purchases = createPurchaseHistory(ledger.notes, config.history ?? mostRemembered).all()
    return {
      behaviour: createBehaviours(ledger.notes).all(),
      transactions: transactionRate(
        transactionFacts(ledger),
        purchases,
        rateSettings(
          policyOptions(purchasing, token),
          jobsOf(config.jobs, token, assetUnits(purchasing.x402)),
        ),
      ),
    }
  } finally {
    await ledger.close()
  }
}

/** Asks without paying. */
function receiverCheck(places: Receivers, target: string, address: Address | undefined): Check {
  return {
    name: 'receiver',
    look: async (facts) => lookAtReceiver(await places.resolve(target), { places, address }, facts),
  }
}

async function lookAtReceiver(
  url: URL,
  { places, address }: { readonly places: Receivers; readonly address: Address | undefined },
  { chain, config }: Facts,
): Promise<Finding> {
  const shown = withoutKeys(url.href)
  const answer = await ask(url, config, {})
  const { status, header } = answer
  const byX402 = await priceByX402(answer, { url, shown, places, config })
  if (byX402 !== undefined) return byX402
  if (status === 200) return ok(`${shown} answers, and is free`)
  // At its root a receiver need not sell anything.
  if (status !== 402) return ok(`${shown} answers`)
  const terms = parseTerms(header)
  const wrong = wrongParties(terms, shown, config, address)
  if (wrong !== undefined) return wrong
  const token = await chain?.tokenFacts().catch(() => undefined)
  const relays = terms.features.has('relay') ? ', relays deposits' : ''
  return ok(`${shown} costs ${priceText(terms.price, token)}${relays}`)
}

function priceText(price: bigint, token: TokenUnit | undefined): string {
  return token === undefined ? `${price} units` : formatAmount(price, token)
}

async function ask(url: URL, { tls }: AgentConfig, headers: HeaderFields) {
  const transport = createTransport({ timeout: 5000, ...(tls && { tls: trustOf(tls) }) })
  return transport.send({ method: 'GET', url, headers })
}

interface Priced {
  readonly url: URL
  readonly shown: string
  readonly places: Receivers
  readonly config: AgentConfig
}

/** Undefined where nothing would be paid by x402. Ends the answer. */
async function priceByX402(
  answer: OpenAnswer,
  { url, shown, places, config }: Priced,
): Promise<Finding | undefined> {
  const seller = { plan: places.planAt(url), shown, assets: assetsOf(config) }
  const found = answer.status === 402 ? await lookAtSeller(url, answer, seller) : undefined
  answer.stream.destroy()
  return found
}

function assetsOf(config: AgentConfig): readonly Asset[] {
  return purchaseSettings(config).x402?.assets ?? []
}

/** Undefined where the payment would go through a contract of ours, to the receiver that was meant. */
function wrongParties(
  terms: Terms,
  shown: string,
  config: AgentConfig,
  address: Address | undefined,
): Finding | undefined {
  const offered = [terms.contract, ...(terms.otherContracts ?? [])]
  if (!contractsOf(config).some((contract) => offered.includes(contract))) {
    return failure(
      `${shown} wants payment through the contract ${terms.contract}. Set contract to it, if you trust it.`,
    )
  }
  if (address === undefined || terms.receiver === address) return undefined
  return failure(
    `${shown} wants payment to ${terms.receiver}, not ${address}. Correct the address, if you trust it.`,
  )
}
