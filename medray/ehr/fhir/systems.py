"""Code systems by short names.

URIs: HL7 Terminology (THO) and FHIR R4, "Terminologies: Using Codes". Short names: `vocabulary_id`
of the OMOP vocabularies where they have one, so that the same code has one name in both archives.
"""

from __future__ import annotations

SHORT_NAMES = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD9CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD10",
    "http://hl7.org/fhir/sid/icd-10-pcs": "ICD10PCS",
    "http://www.cms.gov/Medicare/Coding/ICD10": "ICD10PCS",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "ICD10GM",
    "http://fhir.de/CodeSystem/bfarm/ops": "OPS",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://www.whocc.no/atc": "ATC",
    "http://hl7.org/fhir/ndfrt": "NDFRT",
    "http://fdasis.nlm.nih.gov": "UNII",
    "http://www.ama-assn.org/go/cpt": "CPT4",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HCPCS",
    "urn:oid:2.16.840.1.113883.6.285": "HCPCS",
    "http://unitsofmeasure.org": "UCUM",
    "http://dicom.nema.org/resources/ontology/DCM": "DCM",
    "http://www.radlex.org": "RadLex",
    "http://human-phenotype-ontology.org": "HPO",
    "http://www.orpha.net": "ORPHA",
}


def short_name(system: str) -> str | None:
    """`LOINC` for http://loinc.org; None for a system that has no short name here."""
    return SHORT_NAMES.get(system.rstrip("/"))
