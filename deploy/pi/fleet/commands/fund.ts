// provision fund

import { type ChainClient, connectChain } from '../../../../platform/chain/index.ts'
import { createOutput, type Output, table, toJson } from '../../../../platform/cli/output.ts'
import { askPassword, loadSigner } from '../../../../platform/keys/index.ts'
import { formatAmount, parseAmount, type TokenUnit } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import {
  etherUnit,
  type FundingPlans,
  type FundOptions,
  fundAccounts,
  planTransfers,
  type Targets,
} from '../fund/fund.ts'
import { openRecords, recordsFolder, type Sent } from '../fund/records.ts'
import { type Account, accountOf, accountsFile, readAccounts } from '../hosts/accounts.ts'
import {
  chosenHosts,
  type FundingSettings,
  type HostSettings,
  type Inventory,
  loadInventory,
} from '../hosts/inventory.ts'

export interface FundCommand {
  readonly inventory: string
  readonly tokens?: string
  readonly ether?: string
  readonly dryRun?: true
  readonly history?: true
  readonly json?: true
}

export async function fund(
  names: readonly string[],
  command: FundCommand,
): Promise<'ok' | 'failed'> {
  const output = createOutput(command.json ?? false)
  const inventory = await loadInventory(command.inventory)
  const settings = demandFunding(inventory)
  const hosts = chosenHosts(inventory, names)
  const listed = await readAccounts(accountsFile(inventory.file))
  const accounts = hosts.map((host) => accountWithTargets(host, listed, command))
  const chain = await connectFunding(inventory)
  const signer = await loadSigner({
    file: settings.key,
    password: {
      file: settings.password,
      variable: 'URAIDEN_KEY_PASSWORD',
      prompt: process.stdin.isTTY ? () => askPassword(`Password of ${settings.key}: `) : undefined,
    },
    warn: output.say,
  })
  const { chainId, contract } = chain
  const owner = { chainId, contract, account: signer.address }
  const records = await openRecords(recordsFolder(inventory.file), owner)
  const mostFeePerGas = gasCap(settings)
  const options = { chain, signer, records, accounts, settings, mostFeePerGas, say: output.say }
  try {
    if (command.history) return showHistory(await records.sent(), await chain.tokenFacts(), output)
    return command.dryRun ? await dryRun(options, output) : await send(options, output)
  } finally {
    await records.close()
    chain.close()
  }
}

/** As this computer reaches it. */
export function connectFunding({ chain }: Inventory): Promise<ChainClient> {
  const { rpc, fundingRpc, contract, chainId } = chain
  return connectChain({
    rpcUrl: fundingRpc ?? rpc,
    contract,
    chainId: chainId === undefined ? undefined : BigInt(chainId),
  })
}

async function dryRun(options: FundOptions, output: Output): Promise<'ok' | 'failed'> {
  for (const operation of await options.records.pending()) {
    output.say(`an earlier run was interrupted; the next one first looks for ${operation}`)
  }
  const plans = await planTransfers(options)
  const token = await options.chain.tokenFacts()
  if (output.json) output.print(toJson({ dryRun: true, ...plans }))
  else output.print(planText(plans, token, 'would send'))
  return short(plans) ? 'failed' : 'ok'
}

async function send(options: FundOptions, output: Output): Promise<'ok' | 'failed'> {
  const { plans, sent, failed } = await fundAccounts(options)
  const token = await options.chain.tokenFacts()
  if (output.json) {
    const errors = failed.map(({ host, error: { code, message, hint } }) => ({
      host,
      error: code,
      message,
      hint,
    }))
    output.print(toJson({ sent, failed: errors, shortfalls: shortfallsOf(plans) }))
  } else {
    output.print(sent.length === 0 ? 'nothing was sent' : sentTable(sent, token))
    for (const line of shortfallLines(plans, token)) output.say(line)
    for (const { host, error } of failed) output.say(`${host}: ${error.message} ${error.hint}`)
  }
  return failed.length > 0 || short(plans) ? 'failed' : 'ok'
}

function showHistory(sent: readonly Sent[], token: TokenUnit, output: Output): 'ok' {
  if (output.json) output.print(toJson({ sent }))
  else output.print(sent.length === 0 ? 'nothing was sent yet' : sentTable(sent, token))
  return 'ok'
}

function sentTable(sent: readonly Sent[], token: TokenUnit): string {
  return table(
    ['HOST', 'ACCOUNT', 'SENT', 'BLOCK', 'TRANSACTION'],
    sent.map(({ host, address, kind, amount, block, transaction }) => [
      host,
      address,
      formatAmount(amount, kind === 'tokens' ? token : etherUnit),
      `${block}`,
      transaction,
    ]),
  )
}

function planText(plans: FundingPlans, token: TokenUnit, verb: string): string {
  const lines = (['tokens', 'ether'] as const).flatMap((kind) =>
    plans[kind].transfers.map(
      ({ host, address, amount }) =>
        `${host}: ${verb} ${formatAmount(amount, kind === 'tokens' ? token : etherUnit)} to ${address}`,
    ),
  )
  const all = [...lines, ...shortfallLines(plans, token)]
  return all.length === 0 ? 'every account has what it should have' : all.join('\n')
}

function shortfallsOf({ tokens, ether }: FundingPlans) {
  return [
    ...tokens.shortfalls.map((each) => ({ kind: 'tokens', ...each })),
    ...ether.shortfalls.map((each) => ({ kind: 'ether', ...each })),
  ]
}

function short(plans: FundingPlans): boolean {
  return shortfallsOf(plans).length > 0
}

function shortfallLines(plans: FundingPlans, token: TokenUnit): readonly string[] {
  return shortfallsOf(plans).map(({ kind, host, missing, cap }) => {
    const name = kind === 'tokens' ? cap : `ether${cap === 'each' ? 'Each' : 'All'}`
    const amount = formatAmount(missing, kind === 'tokens' ? token : etherUnit)
    return `${host}: ${amount} less than it should have, because of funding.most.${name}`
  })
}

function demandFunding({ funding, file }: Inventory): FundingSettings {
  if (funding !== undefined) return funding
  throw toolError({
    code: 'config_invalid',
    message: `${file} has no funding.`,
    hint: 'Add funding with key, tokens and most: docs/guides/provisioning.md shows it.',
  })
}

function gasCap({ mostGasPrice }: FundingSettings): bigint | undefined {
  if (mostGasPrice === undefined) return undefined
  return parseAmount(mostGasPrice, { symbol: 'gwei', decimals: 9 })
}

function accountWithTargets(
  { name, funding }: HostSettings,
  listed: readonly Account[],
  { tokens, ether }: FundCommand,
): Account & Targets {
  const account = accountOf(listed, name)
  if (account === undefined) {
    throw toolError({
      code: 'account_unknown',
      message: `The account of ${name} is not known yet.`,
      hint: `Nothing was sent. Set it up first: provision apply ${name}; or name the hosts that are.`,
    })
  }
  return { ...account, tokens: tokens ?? funding.tokens, ether: ether ?? funding.ether }
}
