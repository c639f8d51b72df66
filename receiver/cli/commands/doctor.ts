// uraiden-receiver doctor: looks at everything that selling needs; each line says what to do.
import { type ChainClient, connectChain } from '../../../platform/chain/index.ts'
import {
  findingOf,
  lookAtChain,
  lookAtContract,
  startExamination,
  warning,
} from '../../../platform/cli/doctor.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { receiverOverHttp } from '../../program/plain-http.ts'
import { openSigner } from '../../program/settings.ts'
import {
  type Check,
  certificateCheck,
  clockCheck,
  diskCheck,
  etherCheck,
  type Known,
  keyCheck,
  portCheck,
  stateCheck,
} from '../doctor/checks.ts'
import { resourceCheck } from '../doctor/resources.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export async function doctor(options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const settings = await openSettings(options)
  const { report, attempt, conclude } = startExamination(output)
  const chain = await attempt('chain', () => connectChain(settings.connection))
  try {
    const signer = await attempt('key', () =>
      openSigner(settings.key, (message) => report('key', warning(message))),
    )
    const token = chain && (await attempt('contract', () => supportedToken(chain)))
    const { socket } = settings
    const running = socket && (await attempt('receiver', () => askReceiver(socket, '/admin/stats')))
    const known: Known = { settings, chain, signer, isRunning: running !== undefined }
    for (const check of checksFor(known, token)) {
      report(check.name, await check.look(known).catch(findingOf))
    }
    for (const { check, says } of receiverOverHttp(settings)) report(check, warning(says))
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
function checksFor(
  { chain, signer, settings }: Known,
  token: TokenUnit | undefined,
): readonly Check[] {
  const resources = Object.entries(settings.resources)
  return [
    clockCheck(chain),
    ...(chain ? [{ name: 'chain', look: () => lookAtChain(chain) }] : []),
    ...(chain && token ? [{ name: 'contract', look: () => lookAtContract(chain) }] : []),
    ...(signer ? [keyCheck(signer)] : []),
    ...(chain && signer ? [etherCheck(chain, signer)] : []),
    stateCheck,
    diskCheck,
    portCheck,
    ...(settings.tls ? [certificateCheck(settings.tls)] : []),
    ...(token ? resources.map(([path, resource]) => resourceCheck(path, resource, token)) : []),
    ...(resources.length === 0 ? [nothingSold] : []),
  ]
}

const nothingSold: Check = {
  name: 'resource',
  look: async () =>
    warning('Nothing is sold: receiver.yaml names no resources. See docs/reference/resources.md.'),
}
