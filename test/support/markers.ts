/**
 * Words that stand for personal data and keys in every test of the whole system. The run ends with a search for them in all that the
 * program stores or prints: none may be found.
 */
export const plantedKeys = {
  ruleKey: 'PlantedRuleKey-8c1f',
  clientSecret: 'PlantedClientSecret-5d2e',
  webhookSecret: 'PlantedWebhookSecret-77ab90',
} as const;

export const planted = {
  firstName: 'Plantedförnamn',
  lastName: 'Plantedefternamn',
  street: 'Plantedgatan 7',
  city: 'Plantedstad',
  /** Of the range that Sweden keeps for fiction. */
  phone: '+46701740617',
  domain: 'planted-marker.example.com',
} as const;

/** What to search for: long enough that a piece of each stands whole in base64, however it is aligned. */
export const needles: readonly string[] = [
  ...Object.values(plantedKeys),
  planted.firstName,
  planted.lastName,
  planted.street,
  planted.city,
  planted.phone,
  'planted-marker',
];
