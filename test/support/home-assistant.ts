// What the documentation of Home Assistant says a discovery message of an MQTT entity may hold:
// https://www.home-assistant.io/integrations/sensor.mqtt/ (configuration variables) and
// https://www.home-assistant.io/integrations/mqtt/ (discovery topic, origin); the device's rules are those
// of MQTT_ENTITY_DEVICE_INFO_SCHEMA in homeassistant/components/mqtt/schemas.py.
import { z } from 'zod'

/** https://www.home-assistant.io/integrations/sensor/#device-class */
const deviceClasses = [
  ...['apparent_power', 'aqi', 'area', 'atmospheric_pressure', 'battery', 'carbon_dioxide'],
  ...['carbon_monoxide', 'current', 'data_rate', 'data_size', 'date', 'distance', 'duration'],
  ...['energy', 'energy_distance', 'energy_storage', 'enum', 'frequency', 'gas', 'humidity'],
  ...['illuminance', 'irradiance', 'moisture', 'monetary', 'nitrogen_dioxide', 'ozone', 'ph'],
  ...[
    'pm1',
    'pm10',
    'pm25',
    'power',
    'power_factor',
    'precipitation',
    'pressure',
    'signal_strength',
  ],
  ...[
    'sound_pressure',
    'speed',
    'temperature',
    'timestamp',
    'voltage',
    'volume',
    'water',
    'weight',
  ],
  ...['wind_direction', 'wind_speed'],
] as const

const subscribeTopic = z
  .string()
  .min(1)
  .regex(/^[^\0]+$/)

const device = z
  .strictObject({
    identifiers: z.union([z.string(), z.array(z.string())]).optional(),
    connections: z.array(z.tuple([z.string(), z.string()])).optional(),
    configuration_url: z.url().optional(),
    hw_version: z.string().optional(),
    manufacturer: z.string().optional(),
    model: z.string().optional(),
    model_id: z.string().optional(),
    name: z.string().optional(),
    serial_number: z.string().optional(),
    suggested_area: z.string().optional(),
    sw_version: z.string().optional(),
    via_device: z.string().optional(),
  })
  .refine(({ identifiers, connections }) => identifiers?.length || connections?.length, {
    error: 'Device must have at least one identifying value',
  })

/** What every kind of entity may have. */
const common = {
  availability: z.array(z.object({ topic: subscribeTopic })).optional(),
  availability_mode: z.enum(['all', 'any', 'latest']).optional(),
  availability_template: z.string().optional(),
  availability_topic: subscribeTopic.optional(),
  device: device.optional(),
  enabled_by_default: z.boolean().optional(),
  encoding: z.string().optional(),
  entity_picture: z.string().optional(),
  icon: z
    .string()
    .regex(/^[a-z]+:/)
    .optional(),
  json_attributes_template: z.string().optional(),
  json_attributes_topic: subscribeTopic.optional(),
  name: z.string().nullable().optional(),
  object_id: z.string().optional(),
  origin: z.strictObject({
    name: z.string(),
    sw_version: z.string().optional(),
    support_url: z.url().optional(),
  }),
  payload_available: z.string().optional(),
  payload_not_available: z.string().optional(),
  qos: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
  unique_id: z.string().min(1),
}

function oneAvailability<Schema extends z.ZodObject<typeof common>>(schema: Schema) {
  return schema.refine(({ availability, availability_topic: topic }) => !(availability && topic), {
    error: 'availability must not be used together with availability_topic',
  })
}

export const documentedSensor = oneAvailability(
  z.strictObject({
    ...common,
    device_class: z.enum(deviceClasses).nullable().optional(),
    entity_category: z.literal('diagnostic').optional(),
    expire_after: z.int().min(0).optional(),
    force_update: z.boolean().optional(),
    last_reset_value_template: z.string().optional(),
    options: z.array(z.string()).min(1).optional(),
    state_class: z
      .enum(['measurement', 'measurement_angle', 'total', 'total_increasing'])
      .optional(),
    state_topic: subscribeTopic,
    suggested_display_precision: z.int().optional(),
    unit_of_measurement: z.string().nullable().optional(),
    value_template: z.string().optional(),
  }),
)

/** https://www.home-assistant.io/integrations/binary_sensor/#device-class */
const binaryClasses = [
  ...['battery', 'battery_charging', 'carbon_monoxide', 'cold', 'connectivity', 'door'],
  ...['garage_door', 'gas', 'heat', 'light', 'lock', 'moisture', 'motion', 'moving', 'occupancy'],
  ...['opening', 'plug', 'power', 'presence', 'problem', 'running', 'safety', 'smoke', 'sound'],
  ...['tamper', 'update', 'vibration', 'window'],
] as const

/** https://www.home-assistant.io/integrations/binary_sensor.mqtt/ */
const documentedBinarySensor = oneAvailability(
  z.strictObject({
    ...common,
    device_class: z.enum(binaryClasses).nullable().optional(),
    entity_category: z.literal('diagnostic').optional(),
    expire_after: z.int().min(0).optional(),
    force_update: z.boolean().optional(),
    off_delay: z.int().min(0).optional(),
    payload_off: z.string().optional(),
    payload_on: z.string().optional(),
    state_topic: subscribeTopic,
    value_template: z.string().optional(),
  }),
)

/** https://www.home-assistant.io/integrations/button.mqtt/ */
const documentedButton = oneAvailability(
  z.strictObject({
    ...common,
    command_template: z.string().optional(),
    /** To publish to: no wildcards. */
    command_topic: z.string().regex(/^[^+#\0]+$/),
    device_class: z.enum(['identify', 'restart', 'update']).nullable().optional(),
    entity_category: z.enum(['config', 'diagnostic']).optional(),
    payload_press: z.string().optional(),
    retain: z.boolean().optional(),
  }),
)

/** By the component in the topic. */
export const documentedEntities = {
  sensor: documentedSensor,
  binary_sensor: documentedBinarySensor,
  button: documentedButton,
} as const

/** `<prefix>/<component>/[<node_id>/]<object_id>/config`; ids of [a-zA-Z0-9_-]. */
export const discoveryTopic =
  /^([^/]+)\/(sensor|binary_sensor|button)\/(?:([a-zA-Z0-9_-]+)\/)?([a-zA-Z0-9_-]+)\/config$/
