// The module that the sensor shop of ./scripts/playground sells from.
import { simulatedThermometer } from '../demo/thermometer.ts'

export const handler: ReturnType<typeof simulatedThermometer> = simulatedThermometer()
