import { startLifetime } from '../test/support/lifetime.js';
import { type BenchOptions, type Figure, result } from './figure.js';

const dayMs = 86_400_000;

/** Kinds of readers by what they hold for a year; `option` is what they buy in the beginning. */
const kinds: { name: string; option?: string; laterOption?: string; gift?: boolean; article?: boolean }[] = [
  { name: 'an account, nothing bought' },
  { name: 'monthly subscription', option: 'po-digital-manad' },
  { name: 'yearly subscription', option: 'po-digital-ar' },
  { name: 'weekly subscription', option: 'po-digital-vecka' },
  { name: 'fixed term of a year, ends', option: 'po-komplett-fast' },
  { name: 'a week’s trial, then monthly', option: 'po-digital-vecka', laterOption: 'po-digital-manad' },
  { name: 'receives a yearly subscription as a gift', option: 'po-digital-ar', gift: true },
  { name: 'one article', article: true },
];

/**
 * What a reader costs Temporal in a year: the whole program on the server that skips time, with its regular rechecks, receipts on. One life
 * of each kind: there is no spread, since the lives are the same in every run but for the days of their rechecks.
 */
export async function year({ log }: BenchOptions): Promise<Figure> {
  const life = await startLifetime();
  try {
    const buy = (id: string, option: string, giftTo?: string) => {
      const product = life.sesamy.world.products.find(({ options }) => options.some((one) => one.id === option));
      return life.sesamy.purchase(id, { productSku: product?.sku ?? '', purchaseOptionId: option, giftTo }).contract.id;
    };
    const lives: { name: string; id: string; switchTo?: string; contract?: string }[] = [];
    for (const { name, option, laterOption, gift, article } of kinds) {
      const id = await life.signUp();
      if (article) life.sesamy.buyArticle(id);
      const buyer = gift ? await life.signUp() : id;
      const contract = option ? buy(buyer, option, gift ? id : undefined) : undefined;
      lives.push({ name, id, ...(laterOption ? { switchTo: laterOption } : {}), ...(contract ? { contract } : {}) });
    }
    await life.settle();
    const begin = life.now().getTime();
    await life.live({ days: 6 });
    for (const { id, switchTo, contract } of lives) {
      if (!switchTo || !contract) continue;
      life.sesamy.endNow(contract);
      buy(id, switchTo);
    }
    await life.settle();
    for (let month = 1; month <= 12; month += 1) {
      await life.liveUntil(begin + (month * 365 * dayMs) / 12);
      log(`year: month ${month} of 12`);
    }
    const results = [];
    for (const { name, id } of lives) {
      const { events, bytes, actions } = await life.cost(id);
      results.push(
        result({ what: `${name}: history`, unit: 'events/year', ours: [events] }),
        result({ what: `${name}: history`, unit: 'KiB/year', ours: [bytes / 1_024] }),
        result({ what: `${name}: billable actions`, unit: 'actions/year', ours: [actions] }),
      );
    }
    return {
      name: 'year',
      title: 'What a reader costs Temporal in a year',
      conditions:
        'one life of each kind on the time-skipping server, from the sign-up on, rechecks every 3 days, receipts on',
      rounds: 1,
      results,
    };
  } finally {
    await life.part();
    await life.close();
  }
}
