// What Home Assistant needs to know to show a topic as a sensor by itself: pure functions.
// https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery and /integrations/sensor.mqtt/
import { version } from '../../../platform/system/version.ts'

export interface HomeAssistantSensor {
  readonly name: string
  /** `device_class`, such as temperature. */
  readonly deviceClass?: string
  readonly unit?: string
  readonly stateClass?: string
  readonly icon?: string
  /** Seconds after which a value that was not renewed counts as unavailable. */
  readonly expireAfter?: number
  /** A Jinja template that takes the value out of the payload. */
  readonly valueTemplate?: string
}

/** Of the agent: all its sensors are parts of one device. */
export interface HomeAssistantDevice {
  /** Unique among the devices of a Home Assistant, and the same after every start. */
  readonly id: string
  readonly name: string
  /** The first part of discovery topics; `homeassistant` unless it was changed there. */
  readonly prefix: string
  readonly statusTopic: string
  /** Where a person may look at the agent, for the link in Home Assistant. */
  readonly url?: string
}

export interface Announcement {
  readonly topic: string
  readonly payload: string
}

export const available = 'online'
export const unavailable = 'offline'

/** `state` is where its values are published. */
export function announceSensor(
  sensor: HomeAssistantSensor,
  device: HomeAssistantDevice,
  state: { readonly topic: string; readonly qos: number },
): Announcement {
  const { name, deviceClass, unit, stateClass, icon, expireAfter, valueTemplate } = sensor
  const node = objectId(device.id)
  const object = objectId(state.topic)
  const config = {
    name,
    unique_id: `${node}_${object}`,
    state_topic: state.topic,
    qos: state.qos,
    availability_topic: device.statusTopic,
    payload_available: available,
    payload_not_available: unavailable,
    device_class: deviceClass,
    unit_of_measurement: unit,
    state_class: stateClass,
    icon,
    expire_after: expireAfter,
    value_template: valueTemplate,
    ...aboutDevice(device),
  }
  return {
    topic: `${device.prefix}/sensor/${node}/${object}/config`,
    // JSON leaves out what is undefined.
    payload: JSON.stringify(config),
  }
}

/** What every announcement says of the agent: entities with the same one are shown together. */
export function aboutDevice({ id, name, url }: Pick<HomeAssistantDevice, 'id' | 'name' | 'url'>) {
  return {
    device: {
      identifiers: [objectId(id)],
      name,
      manufacturer: 'µRaiden',
      model: 'agent',
      sw_version: version,
      configuration_url: url,
    },
    origin: { name: 'uraiden-agent', sw_version: version },
  }
}

/** In a discovery topic an id has letters, digits, _ and - only. Two texts never share an id. */
export function objectId(text: string): string {
  return text.replace(/[^a-zA-Z0-9-]/gu, (character) =>
    character === '/' ? '__' : `_${character.codePointAt(0)?.toString(16)}_`,
  )
}
