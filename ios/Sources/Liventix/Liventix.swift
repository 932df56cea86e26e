// Apps import `Liventix` alone: it hands on everything that the generated module declares.
@_exported import LiventixGenerated
