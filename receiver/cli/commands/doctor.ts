// uraiden-receiver doctor: looks at everything that selling needs; each line says what to do.
import type { ChainClient } from '../../../platform/chain/index.ts'
import { lookAtChain, lookAtContract } from '../../../platform/cli/chain-looks.ts'
import { findingOf, startExamination, warning } from '../../../platform/cli/finding.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { controlSocket } from '../../server/admin/place.ts'
import { etherCheck, keyCheck } from '../doctor/account.ts'
import { certificateCheck } from '../doctor/certificate.ts'
import type { Check, Patient } from '../doctor/check.ts'
import { clockCheck, diskCheck, portCheck, stateCheck } from '../doctor/machine.ts'
import { resourceCheck } from '../doctor/resources.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openChain, openConfig, openSigner, stateFolder } from './session.ts'

export async function doctor(options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const { report, attempt, conclude } = startExamination(output)
  const folder = stateFolder(config)
  const chain = await attempt('chain', () => openChain(config))
  try {
    const signer = await attempt('key', () =>
      openSigner(config, (message) => report('key', warning(message))),
    )
    const token = chain && (await attempt('contract', () => supportedToken(chain)))
    const socket = controlSocket(config.admin, folder)
    const running = socket && (await attempt('receiver', () => askReceiver(socket, '/admin/stats')))
    const patient: Patient = { config, folder, chain, signer, isRunning: running !== undefined }
    for (const check of checksFor(patient, token)) {
      report(check.name, await check.look(patient).catch(findingOf))
    }
  } finally {
    chain?.close()
  }
  return conclude() ? exitCode.ok : exitCode.failed
}

/** @throws UraidenError `contract_missing`, `contract_version_unsupported` */
async function supportedToken(chain: ChainClient): Promise<TokenUnit> {
  await chain.contractFacts()
  return chain.tokenFacts()
}

/** What depends on something that is missing is left out: its failure has its own line already. */
function checksFor(patient: Patient, token: TokenUnit | undefined): readonly Check[] {
  const { chain, signer, config } = patient
  const resources = Object.entries(config.resources)
  return [
    clockCheck(chain),
    ...(chain ? [{ name: 'chain', look: () => lookAtChain(chain) }] : []),
    ...(chain && token ? [{ name: 'contract', look: () => lookAtContract(chain) }] : []),
    ...(signer ? [keyCheck(signer)] : []),
    ...(chain && signer ? [etherCheck(chain, signer)] : []),
    stateCheck,
    diskCheck,
    portCheck,
    ...(config.tls ? [certificateCheck(config.tls)] : []),
    ...(token ? resources.map(([path, resource]) => resourceCheck(path, resource, token)) : []),
    ...(resources.length === 0 ? [nothingSold] : []),
  ]
}

const nothingSold: Check = {
  name: 'resource',
  look: async () =>
    warning('Nothing is sold: receiver.yaml names no resources. See docs/receiver-resources.md.'),
}
