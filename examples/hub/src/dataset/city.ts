/** One populated place, as the `cities` table holds it. */
export interface City {
  readonly id: number;
  readonly name: string;
  readonly alt_name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly admin_code: string;
  /** GeoNames feature code: PPLC is a capital, PPL any populated place. */
  readonly feature: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}
