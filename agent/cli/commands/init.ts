// uraiden-agent init: the first configuration, with a key of its own.
import {
  firstFiles,
  refuseExisting,
  writeFirstFiles,
  yamlText,
} from '../../../platform/cli/first-files.ts'
import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import { createQuestions, parseTokens, type Questions } from '../../../platform/cli/questions.ts'
import { parseHttpUrl } from '../../../platform/config/index.ts'
import { type Address, parseTypedAddress } from '../../../protocol/index.ts'
import { createBrowse, type FoundReceiver } from '../../discovery/browse.ts'
import { agentError } from '../../errors/index.ts'
import { loadAgentConfig } from '../../program/configuration/config.ts'
import { doctor } from './doctor.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export interface InitOptions extends GlobalOptions {
  readonly rpc?: string
  readonly contract?: string
  /** `NAME=URL`. */
  readonly receiver: readonly string[]
  readonly request?: string
  readonly day?: string
  readonly discover: boolean
  readonly yes?: boolean
}

interface Answers {
  readonly rpc: string
  readonly contract: Address
  readonly receivers: readonly Seller[]
  readonly request: string
  readonly day: string
}

interface Seller {
  readonly name: string
  readonly url: string
  readonly address?: Address
}

/** How long receivers have to say that they are there, in milliseconds. */
const listening = 3000

export async function init(options: InitOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const files = firstFiles('agent', options.config)
  await refuseExisting(files.config)
  const questions = createQuestions({
    yes: options.yes,
    input: process.stdin,
    output: process.stderr,
  })
  const answers = await askFor(questions, options, output).finally(questions.close)
  const address = await writeFirstFiles(files, () => configuration(answers, files))
  await loadAgentConfig(files.config)
  if (output.json) {
    output.print(toJson({ config: files.config, key: files.key, address }))
    return exitCode.ok
  }
  output.print(`wrote ${files.config}, and beside it the key and its password`)
  output.print(`account ${address}`)
  output.print('')
  await doctor(undefined, { ...options, config: files.config })
  for (const line of nextSteps(answers, address, options)) output.print(line)
  return exitCode.ok
}

async function askFor(
  questions: Questions,
  { rpc, contract, receiver, request, day, discover, yes }: InitOptions,
  output: Output,
): Promise<Answers> {
  const node = await questions.ask({
    option: '--rpc URL',
    text: 'JSON-RPC address of an Ethereum node',
    given: rpc,
    usual: 'http://127.0.0.1:8545',
    parse: parseHttpUrl,
  })
  const named = receiver.map(parseSeller)
  const looks = named.length === 0 && discover && !yes
  const found = looks
    ? await output.during('looking for receivers in the network', () => createBrowse()(listening))
    : []
  const chosen = named.length > 0 ? named : await choose(questions, found)
  const [only] = found.filter(({ name }) => chosen.some((each) => each.name === name))
  return {
    rpc: node,
    contract: await questions.ask({
      option: '--contract ADDRESS',
      text: 'Channels contract',
      given: contract,
      usual: only?.announcement.contract,
      parse: parseTypedAddress,
    }),
    receivers: chosen,
    request: await questions.ask({
      option: '--request AMOUNT',
      text: 'Most for one request, in tokens',
      given: request,
      usual: '0.01',
      parse: parseTokens,
    }),
    day: await questions.ask({
      option: '--day AMOUNT',
      text: 'Most in a day, in tokens',
      given: day,
      usual: '1',
      parse: parseTokens,
    }),
  }
}

async function choose(
  questions: Questions,
  found: readonly FoundReceiver[],
): Promise<readonly Seller[]> {
  const chosen: Seller[] = []
  for (const { name, url, announcement } of found) {
    const { price, receiver } = announcement
    const use = await questions.ask({
      option: '--receiver NAME=URL',
      text: `Buy from ${name}, ${url.origin}${price === undefined ? '' : `, ${price}`} (yes or no)`,
      usual: 'yes',
      parse: parseYesOrNo,
    })
    if (use) chosen.push({ name, url: `dns-sd:${name}`, address: receiver })
  }
  return chosen
}

/** @throws UraidenError `usage_answer` */
function parseYesOrNo(text: string): boolean {
  if (/^y(es)?$/i.test(text)) return true
  if (/^no?$/i.test(text)) return false
  throw agentError({ code: 'usage_answer', message: `"${text}" is neither yes nor no.` })
}

/** @throws UraidenError `usage_receiver` */
function parseSeller(text: string): Seller {
  const [, name = '', url = ''] = /^([a-z0-9][a-z0-9-]{0,62})=(.+)$/.exec(text) ?? []
  if (name !== '' && url.startsWith('dns-sd:')) return { name, url }
  if (name !== '') return { name, url: parseHttpUrl(url) }
  throw agentError({ code: 'usage_receiver', message: `"${text}" is not NAME=URL.` })
}

function configuration(
  { rpc, contract, receivers, request, day }: Answers,
  { key, password }: { readonly key: string; readonly password: string },
): string {
  return `# What this agent pays with, to whom, and how much at most.
# docs/reference/agent-config.md lists every setting; \`uraiden-agent config check\` names each mistake.
rpc: ${yamlText(rpc)}
contract: ${yamlText(contract)}
key: ${yamlText(key)}
password: ${yamlText(password)}

# More than this is never paid, whatever a receiver asks.
budget:
  request: ${yamlText(request)}
  day: ${yamlText(day)}

# Any program pays that asks through it: curl -x http://127.0.0.1:8402 http://…
proxy:
  listen: 127.0.0.1:8402

# A page in the browser: \`uraiden-agent status\` prints its address.
page:
  listen: 127.0.0.1:8403
${receivers.length === 0 ? noReceivers : `\nreceivers:\n${receivers.map(sellerText).join('')}`}
# What it buys by itself.
#jobs:
#  temperature:
#    get: ${receivers[0]?.name ?? 'living-room'}/sensors/temperature
#    every: 5m
#    sinks: [{ csv: readings.csv }]
`
}

const noReceivers = `
# Names for those it buys from.
#receivers:
#  living-room: { url: http://192.168.1.104:5000 }
`

function sellerText({ name, url, address }: Seller): string {
  const more = address === undefined ? '' : `, address: ${yamlText(address)}`
  return `  ${name}: { url: ${yamlText(url)}${more} }\n`
}

function nextSteps(
  { receivers: [first] }: Answers,
  address: Address,
  { config }: InitOptions,
): readonly string[] {
  const command = `uraiden-agent${config === undefined ? '' : ` --config ${config}`}`
  return [
    '',
    `Send tokens, and a little ether for fees, to ${address}. Then:`,
    `  ${command} doctor`,
    `  ${command} get ${first === undefined ? 'http://…' : `${first.name}/…`} --dry-run`,
  ]
}
