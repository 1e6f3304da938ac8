"""Attributes that PS3.15 table E.1-1 does not list and that machines write, by keyword.

Their text says how an image was made. People rarely touch it, so that it stays as it is when nothing in
it looks personal; every other text that the table does not list keeps known words only.
"""

from __future__ import annotations

MACHINE_KEYWORDS = (
    "Manufacturer", "ManufacturerModelName", "ManufacturerRelatedModelGroup",
    "CodingSchemeDesignator", "CodeMeaning", "CodingSchemeRegistry", "CodingSchemeName",
    "MappingResourceName", "SequenceName", "PulseSequenceName", "ImagedNucleus", "FilterType",
    "CollimatorGridName", "ConvolutionKernel", "ReceiveCoilName", "TransmitCoilName",
    "ReceiveCoilManufacturerName", "TransmitCoilManufacturerName", "MultiCoilElementName",
    "MultiCoilConfiguration", "PlateType", "PhosphorType", "AcquisitionMode",
    "AcquisitionDeviceProcessingCode", "DetectorManufacturerName", "DetectorManufacturerModelName",
    "DetectorMode", "TransducerData", "ProcessingFunction", "OutputPower", "ContrastBolusRoute",
    "RadiopharmaceuticalRoute", "Radiopharmaceutical", "ApplicationName", "ApplicationManufacturer",
    "AlgorithmName", "AlgorithmSource", "SecondaryCaptureDeviceManufacturer",
    "SecondaryCaptureDeviceManufacturerModelName", "VideoImageFormatAcquired",
    "DigitalImageFormatAcquired", "TriggerSourceOrType", "CardiacFramingType", "PVCRejection",
    "TypeOfFilters", "PaddleDescription", "DoseModeName", "ViewName", "StageName", "RescaleType",
    "ModalityLUTType", "AttenuationCorrectionMethod", "ReconstructionMethod",
    "DetectorLinesOfResponseUsed", "ScatterCorrectionMethod", "EnergyWindowName",
    "OpticalPathIdentifier", "ReferencedOpticalPathIdentifier", "StackID", "ImageFilter",
    "GridAbsorbingMaterial", "GridSpacingMaterial", "PositionReferenceIndicator",
    "TargetPositionReferenceIndicator", "DimensionDescriptionLabel", "DimensionIndexPrivateCreator",
    "FunctionalGroupPrivateCreator", "ASLTechniqueDescription", "ASLCrusherDescription",
    "ASLBolusCutoffTechnique", "SegmentAlgorithmName", "RespiratorySignalSourceID", "WedgeMaterial",
    "WedgeManufacturerName", "SourceIsotopeName", "ApplicableSafetyStandardDescription",
    "ExposureControlModeDescription", "DetectorDescription", "IOLManufacturer", "LUTExplanation",
    "WindowCenterWidthExplanation",
)  # fmt: skip
# Codes and versions may look like anything, dates and telephone numbers among it.
OTHER_KEYWORDS = (
    "CodeValue", "LongCodeValue", "CodingSchemeVersion", "SoftwareVersions", "ApplicationVersion",
    "AlgorithmVersion", "SecondaryCaptureDeviceSoftwareVersions", "ManufacturerModelVersion",
)  # fmt: skip
# Bytes that colour or map the pixels.
BULK_KEYWORDS = (
    "LUTData", "BlendingLookupTableData", "ICCProfile", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "AlphaPaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData",
    "SegmentedAlphaPaletteColorLookupTableData", "FilterLookupTableData",
)  # fmt: skip
