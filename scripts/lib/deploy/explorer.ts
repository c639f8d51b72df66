// What a verified deployment is in the forms and requests of explorers (Etherscan and its kind) and of Sourcify.
import type { VerifiedDeployment } from './verify.ts'

/** For a person who fills in a form. */
export function explorerText(verified: VerifiedDeployment): string {
  const { chainId, contract, source, files, transaction } = verified
  const { enabled, runs } = source.optimizer
  return [
    section('Etherscan, Blockscout: verify by standard JSON input', [
      ['address', contract],
      ['compiler', compilerOf(verified)],
      ['licence', source.licence],
      ['standard JSON', files.input],
      ['contract name', source.identifier],
      ['optimizer', enabled ? `${runs} runs` : 'off'],
      ['EVM version', source.evmVersion],
      ['via IR', source.viaIR ? 'yes' : 'no'],
      ['arguments', verified.constructorArguments],
    ]),
    section('Sourcify: verify by standard JSON, or by metadata', [
      ['chain', String(chainId)],
      ['address', contract],
      ['metadata', files.metadata],
      ['sources', `in ${files.input}`],
      ['transaction', transaction ?? 'the node has it no more: the arguments are the record’s'],
    ]),
  ].join('\n')
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `${title}\n${rows.map(([name, value]) => `  ${name.padEnd(14)} ${value}\n`).join('')}`
}

function compilerOf({ source }: VerifiedDeployment): string {
  return `v${source.compiler}`
}

/** Numbers of Etherscan's list of licences; 1 is none. */
const licenceTypes: { readonly [spdx: string]: string } = { MIT: '3' }

/**
 * Bodies of the requests.
 * https://docs.etherscan.io/api-reference/endpoint/verifysourcecode
 * https://docs.sourcify.dev/docs/api/ (POST /v2/verify/{chainId}/{address})
 */
export function explorerRequests(verified: VerifiedDeployment): object {
  const { chainId, contract, source, input, transaction } = verified
  return {
    etherscan: {
      chainid: String(chainId),
      contractaddress: contract,
      sourceCode: input,
      codeformat: 'solidity-standard-json-input',
      contractname: source.identifier,
      compilerversion: compilerOf(verified),
      optimizationUsed: source.optimizer.enabled ? '1' : '0',
      runs: String(source.optimizer.runs),
      constructorArguments: verified.constructorArguments,
      evmVersion: source.evmVersion,
      licenseType: licenceTypes[source.licence] ?? '1',
    },
    sourcify: {
      stdJsonInput: JSON.parse(input),
      compilerVersion: source.compiler,
      contractIdentifier: source.identifier,
      ...(transaction === undefined ? {} : { creationTransactionHash: transaction }),
    },
  }
}
