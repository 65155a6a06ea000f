import FuzzDriver
import FuzzLaws

FuzzDriver.run(.chains)
