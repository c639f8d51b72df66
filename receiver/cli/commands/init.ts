// uraiden-receiver init: the first configuration, with a key of its own and one thing to sell.
import {
  firstFiles,
  refuseExisting,
  writeFirstFiles,
  yamlText,
} from '../../../platform/cli/first-files.ts'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { createQuestions, parseTokens, type Questions } from '../../../platform/cli/questions.ts'
import { parseHttpUrl } from '../../../platform/config/index.ts'
import { type Address, parseTypedAddress } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'
import { loadReceiverConfig } from '../../program/config.ts'
import { doctor } from './doctor.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'

export interface InitOptions extends GlobalOptions {
  readonly listen?: string
  readonly path?: string
  readonly price?: string
  readonly command?: string
  readonly yes?: boolean
}

interface Answers {
  readonly rpc: string
  readonly contract: Address
  readonly listen: string
  readonly path: string
  readonly price: string
  readonly command: string
}

export async function init(options: InitOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const files = firstFiles('receiver', options.config)
  await refuseExisting(files.config)
  const questions = createQuestions({
    yes: options.yes,
    input: process.stdin,
    output: process.stderr,
  })
  const answers = await askFor(questions, options).finally(questions.close)
  const address = await writeFirstFiles(files, () => configuration(answers, files))
  await loadReceiverConfig({ file: files.config, options: [] })
  if (output.json) {
    output.print(toJson({ config: files.config, key: files.key, address }))
    return exitCode.ok
  }
  output.print(`wrote ${files.config}, and beside it the key and its password`)
  output.print(`account ${address}`)
  output.print('')
  await doctor({ config: files.config })
  const named = options.config === undefined ? '' : ` --config ${options.config}`
  output.print('')
  output.print(`Send a little ether for fees to ${address}. Then:`)
  output.print(`  uraiden-receiver${named} start`)
  return exitCode.ok
}

async function askFor(questions: Questions, options: InitOptions): Promise<Answers> {
  return {
    rpc: await questions.ask({
      option: '--rpc URL',
      text: 'JSON-RPC address of an Ethereum node',
      given: options.rpc,
      usual: 'http://127.0.0.1:8545',
      parse: parseHttpUrl,
    }),
    contract: await questions.ask({
      option: '--contract ADDRESS',
      text: 'Channels contract',
      given: options.contract,
      parse: parseTypedAddress,
    }),
    listen: await questions.ask({
      option: '--listen ADDRESS:PORT',
      text: 'Where to listen',
      given: options.listen,
      usual: '0.0.0.0:5000',
      parse: (text) => text,
    }),
    path: await questions.ask({
      option: '--path PATH',
      text: 'Path of what is sold',
      given: options.path,
      usual: '/load',
      parse: parsePath,
    }),
    price: await questions.ask({
      option: '--price AMOUNT',
      text: 'Its price, in tokens',
      given: options.price,
      usual: '0.005',
      parse: parseTokens,
    }),
    command: await questions.ask({
      option: '--command COMMAND',
      text: 'Command whose output is sold',
      given: options.command,
      usual: 'cat /proc/loadavg',
      parse: (text) => text,
    }),
  }
}

/** @throws UraidenError `usage_path` */
function parsePath(text: string): string {
  if (/^\/[A-Za-z0-9/._~-]*$/.test(text)) return text
  throw receiverError({ code: 'usage_path', message: `"${text}" is not a path.` })
}

function configuration(
  { rpc, contract, listen, path, price, command }: Answers,
  { key, password }: { readonly key: string; readonly password: string },
): string {
  return `# What this receiver sells, for how much, and who is paid.
# docs/reference/receiver-config.md lists every setting; \`uraiden-receiver config check\` names each mistake.
rpc: ${yamlText(rpc)}
contract: ${yamlText(contract)}
key: ${yamlText(key)}
password: ${yamlText(password)}

# The balance proofs, worth what the channels owe: keep them, see \`uraiden-receiver backup\`.
#state: /var/lib/uraiden-receiver

listen: ${yamlText(listen)}

resources:
  ${path}: { price: ${yamlText(price)}, command: ${yamlText(command)} }
#  /archive/*: { price: '0.02', files: /srv/archive }
#  /api/*: { price: '0.001', upstream: 'http://127.0.0.1:3000' }
`
}
