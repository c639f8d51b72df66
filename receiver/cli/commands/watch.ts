// uraiden-receiver watch: guards a receiver's channels from another machine.
import { existsSync } from 'node:fs'
import { passwordFrom } from '../../../platform/cli/keys.ts'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { usualConfigFile, usualStateFolder } from '../../../platform/cli/places.ts'
import { loadSigner } from '../../../platform/keys/index.ts'
import { createLog } from '../../program/log.ts'
import { loadWatchConfig, watchVariables } from '../../program/watchtower/config.ts'
import { type RunningWatchtower, runWatchtower } from '../../program/watchtower/run.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { configOptions } from './options.ts'
import { listenAddress, type StartOptions, stopRequest } from './start.ts'

export async function watch(options: StartOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const asked = stopRequest()
  const file = configFile(options)
  const config = await loadWatchConfig({ file, options: configOptions(options) })
  const log = createLog(config.log)
  const signer = await loadSigner({
    file: config.key,
    password: passwordFrom({
      file: config.password,
      variable: watchVariables.password,
      credential: 'watchtower-key-password',
    }),
    warn: (message) => log.warn(message),
  })
  const state = config.state ?? usualStateFolder('uraiden-watchtower', process.env)
  const listen = listenAddress(config, options)
  const running = await runWatchtower({ config, signer, state, listen, log })
  try {
    process.on('SIGHUP', () => void running.reload())
    await Promise.race([running.tower.synced, asked])
    output.print(output.json ? JSON.stringify(JSON.parse(toJson(facts(running)))) : text(running))
    log.info({ signal: await asked }, 'stopping')
  } finally {
    await running.stop()
  }
  return exitCode.ok
}

/** The named file, the variable's, a person's own, the system's; undefined when there is none. */
function configFile({ config }: StartOptions): string | undefined {
  const named = config ?? process.env[watchVariables.config]
  if (named !== undefined) return named
  const usual = usualConfigFile('watchtower.yaml', process.env)
  return existsSync(usual) ? usual : undefined
}

function facts({ tower, url }: RunningWatchtower) {
  const { guarded, account, status } = tower
  return { url, account, ...guarded, proofs: status().proofs }
}

function text(running: RunningWatchtower): string {
  const { url, account, receiver, contract, chainId, proofs } = facts(running)
  return [
    `guards     ${receiver}, ${proofs} channels`,
    `chain      id ${chainId}, contract ${contract}`,
    `account    ${account}: pays for answers, needs some ether`,
    `listens    ${url}`,
  ].join('\n')
}
