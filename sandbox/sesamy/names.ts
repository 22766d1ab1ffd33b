/** Words of which invented people are made. */
export const firstNames = [
  'Åsa',
  'Anna',
  'Bengt',
  'Björn',
  'Cecilia',
  'Daniel',
  'Elsa',
  'Erik',
  'Fatima',
  'Frida',
  'Göran',
  'Hanna',
  'Håkan',
  'Ida',
  'Jonas',
  'Jörgen',
  'Karin',
  'Kerstin',
  'Lars',
  'Lovisa',
  'Märta',
  'Mehmet',
  'Nils',
  'Noor',
  'Östen',
  'Oskar',
  'Pär',
  'Petra',
  'René',
  'Sara',
  'Sören',
  'Tove',
  'Ulrika',
  'Valter',
  'Wilma',
  'Ylva',
  'Zoë',
] as const;

export const lastNames = [
  'Åberg',
  'Ahlström',
  'Andersson',
  'Bäck',
  'Bergström',
  'Dahl',
  'Ek',
  'Englund',
  'Fägerskiöld',
  'Forsén',
  'Gustafsson',
  'Håkansson',
  'Hedlund',
  'Holm',
  'Ivarsson',
  'Jönsson',
  'Karlsson',
  'Lindqvist',
  'Löfgren',
  'Månsson',
  'Norén',
  'Nyström',
  'Öberg',
  'Palm',
  'Quist',
  'Rådström',
  'Sjögren',
  'Sundin',
  'Törnblom',
  'Ullman',
  'Vikström',
  'von Essen',
  'Wåhlin',
  'Yıldız',
  'Zetterlund',
  "O'Neill",
  'Hjort-Ek',
] as const;

export const streets = [
  'Ängsvägen',
  'Björkgatan',
  'Drottninggatan',
  'Ekallén',
  'Fågelstigen',
  'Gamla Örebrovägen',
  'Hamngatan',
  'Idrottsvägen',
  'Kvarnbacken',
  'Ljungstigen',
  'Övre Slottsgatan',
  'Paradisgränd',
  'Åkervägen',
] as const;

export const cities: readonly [City, ...City[]] = [
  { city: 'Stockholm', zip: '111 22' },
  { city: 'Göteborg', zip: '411 05' },
  { city: 'Malmö', zip: '21122' },
  { city: 'Umeå', zip: '903 26' },
  { city: 'Växjö', zip: '352 30' },
  { city: 'Gävle', zip: '803 20' },
  { city: 'Åmål', zip: 'SE-662 30' },
  { city: 'Östersund', zip: '831 30' },
];

interface City {
  city: string;
  zip: string;
}

/** Custom tags that a publisher's staff might put on a profile. */
export const profileTags = ['Vinklubben', 'VIP', 'Läsarpanelen 2026', 'Ölprovning Växjö', 'press'] as const;

/** The letters of an e-mail address for a name. */
export function asciiOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/ı/g, 'i')
    .replace(/[^A-Za-z]/g, '');
}
