import type { Place } from './store.ts';

const KM_PER_DEGREE = 111.2;

type NearbyParams = Readonly<Record<keyof Place | 'south' | 'west' | 'north' | 'east', number>>;

/** Parameters of `cities_near`. The box around the circle is cut at the poles and at the 180th meridian. */
export function toNearbyParams({ latitude, longitude, radiusKm }: Place): NearbyParams {
  const high = radiusKm / KM_PER_DEGREE;
  const wide = high / Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
  return {
    latitude,
    longitude,
    radiusKm,
    south: latitude - high,
    north: latitude + high,
    west: longitude - wide,
    east: longitude + wide,
  };
}
