// uraiden-agent doctor: looks at everything a payment needs; each line says what to do.

import { findingOf, startExamination } from '../../../platform/cli/doctor.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import { loadAgentConfig } from '../../program/configuration/config.ts'
import {
  configFile,
  openChain,
  openSigner,
  receiversOf,
  stateFolder,
} from '../../program/configuration/setup.ts'
import { chainCheck, contractCheck, etherCheck, tokensCheck } from '../doctor/chain.ts'
import type { Check, Patient } from '../doctor/check.ts'
import { clockCheck, diskCheck, keyCheck } from '../doctor/machine.ts'
import { receiverCheck } from '../doctor/receiver.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export async function doctor(
  target: string | undefined,
  options: GlobalOptions,
): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(configFile(options.config))
  const { report, attempt, conclude } = startExamination(output)
  const chain = await attempt('chain', () => openChain(config))
  const signer = await attempt('key', () => openSigner(config, output.say))
  const places = receiversOf(config)
  const patient: Patient = { config, folder: stateFolder(config), chain, signer }
  const receivers =
    target === undefined
      ? Object.entries(config.receivers).map(([name, { address }]) =>
          receiverCheck(() => places.resolve(name), address),
        )
      : [receiverCheck(() => places.resolve(target), undefined)]
  for (const check of [...checks(patient), ...receivers]) {
    report(check.name, await check.look(patient).catch(findingOf))
  }
  chain?.close()
  return conclude() ? exitCode.ok : exitCode.failed
}

/** What depends on something that is missing is left out: its failure has its own line already. */
function checks({ chain, signer }: Patient): readonly Check[] {
  return [
    clockCheck,
    ...(chain ? [chainCheck, contractCheck] : []),
    ...(signer ? [keyCheck] : []),
    ...(chain && signer ? [tokensCheck, etherCheck] : []),
    diskCheck,
  ]
}
