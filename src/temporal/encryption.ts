/**
 * Encryption of what Temporal stores of our workflows: inputs, results, signals, updates, queries, details. For those who do not want
 * whoever runs or reads Temporal to see names of tags and products. Ids of workflows, search attributes, types and the sentences of
 * failures are no payloads and stay readable: there are ids, enumerations, dates and keyed hashes in them.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ApplicationFailure, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

/** The variable of the keys. */
export const encryptionKeysVariable = 'SESAMY_RULE_ENCRYPTION_KEYS';

/** Payloads as bytes, as Temporal itself has them. */
const wire = proto.temporal.api.common.v1.Payload;

const keyPattern = /^[0-9a-f]{64}$/i;

/** One key of AES-256, and the name by which payloads say that they need it. */
interface EncryptionKey {
  id: string;
  bytes: Buffer;
}

/** A text that is no list of keys. The message does not repeat it. */
export class EncryptionKeysError extends Error {
  override name = 'EncryptionKeysError';
}

/**
 * Keys as they are written in the settings: 64 hexadecimal digits each, separated by commas, the one that encrypts first.
 *
 * @throws {EncryptionKeysError}
 */
export function parseEncryptionKeys(text: string | undefined): EncryptionKey[] {
  if (!text?.trim()) return [];
  return text.split(',').map((part) => {
    const key = part.trim();
    if (!keyPattern.test(key)) {
      throw new EncryptionKeysError(
        `${encryptionKeysVariable} holds something that is no key; each has 64 hexadecimal digits, made by: openssl rand -hex 32`,
      );
    }
    const bytes = Buffer.from(key, 'hex');
    return { id: keyId(bytes), bytes };
  });
}

/** Made from the key itself, so that nobody has to keep a list of names; tells nothing of it. */
function keyId(bytes: Buffer): string {
  return createHash('sha256').update('sesamy-rule encryption key id').update(bytes).digest('hex').slice(0, 12);
}

const encoding = 'binary/encrypted';
const cipherName = 'AES-256-GCM';
/** The length that GCM is made for. Random: with one key not more than 2^32 payloads should be encrypted (NIST SP 800-38D §8.3). */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts with the first key and reads with all of them; what is not encrypted is read as it is, so that it can be switched on for
 * workflows that run already. Without keys nothing is encrypted, and what is says that a key is missing.
 */
export function createPayloadCodec(keys: readonly EncryptionKey[]): PayloadCodec {
  const [first] = keys;
  const known = new Map(keys.map(({ id, bytes }) => [id, bytes]));
  return {
    encode: async (payloads) => (first ? payloads.map((payload) => encrypt(payload, first)) : payloads),
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, known) : payload)),
  };
}

/** The codec for the settings of an environment. @throws {EncryptionKeysError} */
export function payloadCodecOf(env: NodeJS.ProcessEnv): PayloadCodec {
  return createPayloadCodec(parseEncryptionKeys(env[encryptionKeysVariable]));
}

/** Whether the settings ask for encryption. */
export function encrypts(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env[encryptionKeysVariable]?.trim());
}

function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.encoding) === encoding;
}

function encrypt(payload: Payload, { id, bytes }: EncryptionKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', bytes, nonce, { authTagLength: tagBytes });
  const plain = wire.encode(payload).finish();
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-cipher': Buffer.from(cipherName),
      'encryption-key-id': Buffer.from(id),
    },
    data: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
  };
}

function decrypt({ metadata, data }: Payload, keys: ReadonlyMap<string, Buffer>): Payload {
  const id = textOf(metadata?.['encryption-key-id']) ?? '';
  const key = keys.get(id);
  if (!key) throw missingKey(id);
  const whole = Buffer.from(data ?? []);
  try {
    const end = whole.length - tagBytes;
    const decipher = createDecipheriv('aes-256-gcm', key, whole.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(whole.subarray(end));
    const plain = Buffer.concat([decipher.update(whole.subarray(nonceBytes, end)), decipher.final()]);
    return wire.decode(plain);
  } catch {
    throw unreadable();
  }
}

/** Failures rather than errors of our own: their sentence may stand in Temporal and in the log, and a worker tries again. */
function missingKey(id: string): ApplicationFailure {
  const name = /^[0-9a-f]{12}$/.test(id) ? ` ${id}` : '';
  return ApplicationFailure.create({
    message: `Temporal holds data encrypted by the key${name}, which is not in ${encryptionKeysVariable}; add that key behind the others and start again`,
    type: 'temporal/missing-key',
  });
}

function unreadable(): ApplicationFailure {
  return ApplicationFailure.create({
    message: `Temporal holds encrypted data that was changed or cut off; it cannot be read with the keys of ${encryptionKeysVariable}`,
    type: 'temporal/damaged-data',
  });
}

function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes ? Buffer.from(bytes).toString('utf8') : undefined;
}
