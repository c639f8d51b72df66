// Caps as a person writes them.
import { amountText } from '../../platform/config/index.ts'

export const windowCaps = {
  hour: amountText.optional().describe('in 60 minutes'),
  day: amountText.optional(),
  month: amountText.optional(),
  total: amountText.optional().describe('for ever'),
}
