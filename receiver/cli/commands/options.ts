// Options that every command has, under the names of the original's documents and modern ones, and
// the settings of receiver.yaml that they override.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { ConfigOption } from '../../../platform/config/index.ts'
import type { KeyPath } from '../../../platform/config/yaml.ts'

export interface GlobalOptions extends Settings {
  readonly config?: string
  readonly json?: boolean
}

/** Values as typed. */
interface Settings {
  readonly key?: string
  readonly privateKey?: string
  readonly passwordFile?: string
  readonly privateKeyPasswordFile?: string
  readonly rpc?: string
  readonly rpcProvider?: string
  readonly contract?: string
  readonly channelManagerAddress?: string
  readonly state?: string
  readonly stateFile?: string
  readonly mostGasPrice?: string
  readonly gasPrice?: string
  readonly page?: string
  readonly paywallInfo?: string
  readonly tlsCert?: string
  readonly sslCert?: string
  readonly tlsKey?: string
  readonly sslKey?: string
}

interface SettingOption {
  readonly flag: string
  readonly value: string
  readonly says: string
  readonly name: keyof Settings
  /** The name in the original's documents, where it has one. */
  readonly original: string
  readonly originalName: keyof Settings
  readonly path: KeyPath
  readonly read?: (text: string) => string
}

/** What is typed is relative to the working directory, not to the configuration file. */
const asPath = (text: string) => resolve(text)

/** A bare integer is wei, as in the original; `50 gwei` says its unit. */
const asGasPrice = (text: string) =>
  /^\d+$/.test(text)
    ? `${BigInt(text) / 10n ** 9n}.${`${BigInt(text) % 10n ** 9n}`.padStart(9, '0')}`
    : text

const settings: readonly SettingOption[] = [
  {
    flag: '--key',
    value: 'file',
    says: 'key file: geth keystore or hex, mode 600',
    name: 'key',
    original: '--private-key',
    originalName: 'privateKey',
    path: ['key'],
    read: asPath,
  },
  {
    flag: '--password-file',
    value: 'file',
    says: 'its first line opens the key',
    name: 'passwordFile',
    original: '--private-key-password-file',
    originalName: 'privateKeyPasswordFile',
    path: ['password'],
    read: asPath,
  },
  {
    flag: '--rpc',
    value: 'url',
    says: 'JSON-RPC address of an Ethereum node',
    name: 'rpc',
    original: '--rpc-provider',
    originalName: 'rpcProvider',
    path: ['rpc'],
  },
  {
    flag: '--contract',
    value: 'address',
    says: 'the channels contract',
    name: 'contract',
    original: '--channel-manager-address',
    originalName: 'channelManagerAddress',
    path: ['contract'],
  },
  {
    flag: '--state',
    value: 'folder',
    says: 'folder for the balance proofs',
    name: 'state',
    original: '--state-file',
    originalName: 'stateFile',
    path: ['state'],
    read: asPath,
  },
  {
    flag: '--most-gas-price',
    value: 'price',
    says: 'pay no more for a unit of gas: 50 gwei; a bare integer is wei',
    name: 'mostGasPrice',
    original: '--gas-price',
    originalName: 'gasPrice',
    path: ['mostGasPrice'],
    read: asGasPrice,
  },
  {
    flag: '--page',
    value: 'folder',
    says: 'index.html for browsers; its other files are under /js/',
    name: 'page',
    original: '--paywall-info',
    originalName: 'paywallInfo',
    path: ['page'],
    read: asPath,
  },
  {
    flag: '--tls-cert',
    value: 'file',
    says: 'certificate and those above it, PEM: speak https',
    name: 'tlsCert',
    original: '--ssl-cert',
    originalName: 'sslCert',
    path: ['tls', 'cert'],
    read: asPath,
  },
  {
    flag: '--tls-key',
    value: 'file',
    says: 'its private key, PEM, mode 600',
    name: 'tlsKey',
    original: '--ssl-key',
    originalName: 'sslKey',
    path: ['tls', 'key'],
    read: asPath,
  },
]

/** Adds them; those of the documents are listed in the help beside the modern ones. */
export function addGlobalOptions(program: Command): Command {
  program
    .option('-c, --config <file>', 'configuration (else $URAIDEN_RECEIVER_CONFIG, ~/.config, /etc)')
    .option('--json', 'answer in JSON; amounts are strings of the smallest unit')
  for (const { flag, value, says, original } of settings) {
    program.addOption(new Option(`${flag} <${value}>`, says))
    program.addOption(new Option(`${original} <${value}>`, `the same as ${flag}`))
  }
  return program
}

/** What the options override. The modern name wins when both are there. */
export function configOptions(options: GlobalOptions): readonly ConfigOption[] {
  return settings.flatMap(({ flag, name, original, originalName, path, read = String }) => {
    const modern = options[name]
    const text = modern ?? options[originalName]
    if (text === undefined) return []
    return [{ name: modern === undefined ? original : flag, path, value: read(text) }]
  })
}
