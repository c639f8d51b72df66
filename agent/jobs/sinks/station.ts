// The agent as a client of an MQTT broker and as a device of Home Assistant, from the configuration.
import { readFile } from 'node:fs/promises'
import { findPassword } from '../../../platform/keys/index.ts'
import { readPrivateFile } from '../../../platform/keys/private-file.ts'
import { type Address, UraidenError } from '../../../protocol/index.ts'
import { type HomeAssistantDevice, objectId } from './home-assistant.ts'
import { type BrokerConnection, connectBroker } from './mqtt-connection.ts'
import type { BrokerConfig } from './schema.ts'

export interface Station {
  readonly connection: BrokerConnection
  readonly device: HomeAssistantDevice
}

/** @throws UraidenError `certificate_unreadable`, and those of `readPrivateFile` */
export async function openStation(config: BrokerConfig, address: Address): Promise<Station> {
  const { url, username, password, ca, cert, certKey, name, discoveryPrefix } = config
  const clientId = config.clientId ?? `uraiden-${address.slice(2, 10).toLowerCase()}`
  const statusTopic = config.statusTopic ?? `uraiden/${clientId}/status`
  const tls = {
    ...(ca !== undefined && { ca: await readPem(ca) }),
    ...(cert !== undefined && { cert: await readPem(cert) }),
    ...(certKey !== undefined && { key: await readPrivateFile(certKey) }),
  }
  const connection = connectBroker({
    url,
    clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: await findPassword({ file: password }) }),
    tls,
    statusTopic,
    birthTopic: `${discoveryPrefix}/status`,
    reconnectInterval: 5000,
  })
  const device = { id: objectId(clientId), name, prefix: discoveryPrefix, statusTopic }
  return { connection, device }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new UraidenError({
      code: 'certificate_unreadable',
      message: `The certificate ${path} for the MQTT broker cannot be read.`,
      hint: 'Check mqtt.ca and mqtt.cert, and the file’s owner and mode.',
      cause,
    })
  }
}
