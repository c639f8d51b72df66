// What the first start of a fresh card needs besides the agent.
import { z } from 'zod'

export const firstBootSchema = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/, { error: 'this is not the name of a user.' })
    .default('pi'),
  sshKeys: z
    .array(
      z.string().regex(/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( [^'"\\\n]*)?$/, {
        error: 'this is not a public key as in authorized_keys.',
      }),
    )
    .min(1)
    .describe('public keys that may log in; a password cannot'),
  timeZone: z
    .string()
    .regex(/^[A-Za-z0-9_+/-]+$/, { error: 'this is not the name of a time zone.' })
    .default('Etc/UTC'),
  keyboard: z
    .string()
    .regex(/^[a-z]{2}$/, { error: 'this is not a keyboard layout of two letters.' })
    .default('us'),
  wifi: z
    .strictObject({
      ssid: z.string().regex(/^[^\p{Cc}]{1,32}$/u, { error: 'this is not the name of a network.' }),
      passwordFile: z.string().min(1).describe('its first line; mode 600'),
      country: z.string().regex(/^[A-Z]{2}$/, { error: 'this is not a country such as DE.' }),
    })
    .optional(),
})

export type FirstBootSettings = z.output<typeof firstBootSchema>
