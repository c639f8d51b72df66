// provision init: the first inventory, and the template beside it.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { refuseExisting, yamlText } from '../../../../platform/cli/first-files.ts'
import { createOutput, toJson } from '../../../../platform/cli/output.ts'
import { createQuestions, parseTokens, type Questions } from '../../../../platform/cli/questions.ts'
import { parseHttpUrl } from '../../../../platform/config/index.ts'
import { type Address, parseTypedAddress } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { loadInventory } from '../hosts/inventory.ts'
import { renderConfig } from '../hosts/template.ts'

export interface InitCommand {
  readonly inventory: string
  /** `NAME=ADDRESS`. */
  readonly host: readonly string[]
  readonly user?: string
  readonly rpc?: string
  readonly contract?: string
  readonly receiver?: string
  readonly request?: string
  readonly day?: string
  readonly yes?: true
  readonly json?: true
}

interface Named {
  readonly name: string
  readonly value: string
}

interface Answers {
  readonly rpc: string
  readonly contract: Address
  readonly user: string
  readonly hosts: readonly Named[]
  readonly receiver: Named
  readonly request: string
  readonly day: string
}

/**
 * Writes both files, or none.
 * @throws UraidenError `config_exists`, `answer_missing`, `usage_named`, `config_invalid`
 */
export async function init(command: InitCommand): Promise<'ok'> {
  const output = createOutput(command.json ?? false)
  const inventory = resolve(command.inventory)
  const template = join(dirname(inventory), 'agent.yaml')
  for (const file of [inventory, template]) await refuseExisting(file)
  const questions = createQuestions({
    yes: command.yes,
    input: process.stdin,
    output: process.stderr,
  })
  const answers = await askFor(questions, command).finally(questions.close)
  try {
    await writeFile(inventory, inventoryText(answers), { flag: 'wx', mode: 0o600 })
    await writeFile(template, templateText(answers), { flag: 'wx', mode: 0o600 })
    await demandGood(inventory)
  } catch (error) {
    for (const file of [inventory, template]) await rm(file, { force: true })
    throw error
  }
  if (output.json) output.print(toJson({ inventory, template, hosts: answers.hosts }))
  else {
    output.print(`wrote ${inventory} and ${template}`)
    output.print('next: ./scripts/build-pi, then deploy/pi/provision apply --dry-run')
  }
  return 'ok'
}

/** As `apply` will read it. */
async function demandGood(file: string): Promise<void> {
  const { hosts, template } = await loadInventory(file)
  const text = await readFile(template, 'utf8')
  for (const host of hosts) renderConfig({ file: template, text }, host, 'credential')
}

async function askFor(questions: Questions, given: InitCommand): Promise<Answers> {
  const { host, rpc, contract, user, receiver, request, day } = given
  const tokens = (option: string, text: string, said: string | undefined, usual: string) =>
    questions.ask({ option, text, given: said, usual, parse: parseTokens })
  return {
    rpc: await questions.ask({
      option: '--rpc URL',
      text: 'JSON-RPC address of an Ethereum node, as the Pis reach it',
      given: rpc,
      parse: parseHttpUrl,
    }),
    contract: await questions.ask({
      option: '--contract ADDRESS',
      text: 'Channels contract',
      given: contract,
      parse: parseTypedAddress,
    }),
    hosts: await questions.ask({
      option: '--host NAME=ADDRESS',
      text: 'Raspberry Pis, as NAME=ADDRESS with spaces between them',
      given: host.length > 0 ? host.join(' ') : undefined,
      parse: (text) => text.split(/\s+/).filter(Boolean).map(parseNamed),
    }),
    user: await questions.ask({
      option: '--user NAME',
      text: 'User of ssh there',
      given: user,
      usual: 'pi',
      parse: (text) => text,
    }),
    receiver: await questions.ask({
      option: '--receiver NAME=URL',
      text: 'Where they buy, as NAME=URL',
      given: receiver,
      parse: (text) => {
        const { name, value } = parseNamed(text)
        return { name, value: parseHttpUrl(value) }
      },
    }),
    request: await tokens('--request AMOUNT', 'Most for one request, in tokens', request, '0.01'),
    day: await tokens('--day AMOUNT', 'Most in a day for each, in tokens', day, '1'),
  }
}

/** @throws UraidenError `usage_named` */
function parseNamed(text: string): Named {
  const [, name, value] = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)=(\S+)$/.exec(text) ?? []
  if (name !== undefined && value !== undefined) return { name, value }
  throw toolError({
    code: 'usage_named',
    message: `"${text}" is not a name, = and an address.`,
  })
}

function inventoryText({ rpc, contract, user, hosts, receiver, request, day }: Answers): string {
  const rows = hosts.map(
    ({ name, value }) => `  ${yamlText(name)}: { address: ${yamlText(value)} }`,
  )
  return `# Which Raspberry Pis there are: docs/guides/provisioning.md has all of it.
chain:
  rpc: ${yamlText(rpc)}
  contract: '${contract}'
template: agent.yaml
packages: dist-pi
ssh: { user: ${yamlText(user)} }
# What each may spend; hosts.NAME.budget wins.
budget:
  request: '${request}'
  day: '${day}'
values:
  shop: ${yamlText(receiver.value)}
hosts:
${rows.join('\n')}
`
}

function templateText({ receiver }: Answers): string {
  return `# agent.yaml of each Pi; \${name} stands for a value of fleet.yaml.
rpc: \${rpc}
contract: \${contract}
receivers:
  ${yamlText(receiver.name)}: { url: '\${shop}' }
# jobs:
#   temperature:
#     get: ${receiver.name}/sensors/temperature
#     every: 5m
#     sinks:
#       - file: /var/lib/uraiden-agent/temperature.jsonl
`
}
